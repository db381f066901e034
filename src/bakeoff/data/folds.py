"""Cross-validation: partitions of all images into folds, each fold in turn the test part.

A repeat is one whole partition, so in every repeat each image is tested once, by a network that has
not seen it. Partitions are stratified and drawn from (seed, repeat) alone: repeat r is the same
whatever the number of repeats.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bakeoff.data.split import Part, Split, class_called, make_split
from bakeoff.errors import DataError
from bakeoff.utils.text import counted


@dataclass(frozen=True, eq=False)
class Folds:
    """Repeated partitions of a data set.

    Attributes
    ----------
    tested : int64, shape (repeats, n)
        The fold, 0 … n_folds − 1, in which an image is tested.
    validating : bool, shape (repeats, n_folds, n)
        Whether an image is for validation where a fold is tested; never one of that fold.
    """

    tested: NDArray[np.int64]
    validating: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name, kind in (("tested", np.int64), ("validating", np.bool_)):
            array = np.array(getattr(self, name), dtype=kind)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def repeats(self) -> int:
        """How many partitions there are."""
        return len(self.tested)

    @property
    def n_folds(self) -> int:
        """How many folds a partition has."""
        return int(self.validating.shape[1])

    def at(self, repeat: int, fold: int) -> Split:
        """Return the split of one fold: trained and validated on the others, tested on it."""
        tested, validating = self.tested[repeat] == fold, self.validating[repeat, fold]
        return Split(
            train=np.flatnonzero(~tested & ~validating),
            validation=np.flatnonzero(validating),
            test=np.flatnonzero(tested),
        )

    def first(self, repeats: int) -> "Folds":
        """Return the first partitions alone."""
        return Folds(self.tested[:repeats], self.validating[:repeats])

    @property
    def train(self) -> NDArray[np.int64]:
        """The training images of the first fold; those of others are as many, give or take one."""
        return self.at(0, 0).train

    @property
    def validation(self) -> NDArray[np.int64]:
        """The validation images of the first fold; those of others are as many, or nearly so."""
        return self.at(0, 0).validation

    @property
    def test(self) -> NDArray[np.int64]:
        """All images: each is tested once a repeat."""
        return np.arange(self.tested.shape[1])

    @cached_property
    def hash(self) -> str:
        """SHA-256, hexadecimal, of the two arrays: equal on every platform."""
        digest = hashlib.sha256(f"folds {self.tested.shape} {self.n_folds}\n".encode())
        digest.update(np.ascontiguousarray(self.tested, dtype="<i8").tobytes())
        digest.update(np.packbits(self.validating, axis=None).tobytes())
        return digest.hexdigest()

    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Return what one network is trained and validated on, and what is tested in all."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def make_folds(
    labels: ArrayLike,
    *,
    folds: int,
    repeats: int,
    validation: Part | int | float,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> Folds:
    """Draw repeated stratified partitions.

    The sizes of two folds differ by at most one image, and so do their images of any class.

    Parameters
    ----------
    labels : int, shape (n,)
    validation : Part, int or float
        A number of images, or a fraction of those that a fold leaves for training; 0 for none.
    seed : int
        Fixes, with the repeat's number, what is drawn.
    class_names : what classes are called in messages; their numbers without it

    Raises
    ------
    DataError
        If a class has fewer images than there are folds, or validation is too large.
    """
    classes = np.asarray(labels, dtype=np.int64)
    kinds, sizes = np.unique(classes, return_counts=True)
    for kind, size in zip(kinds.tolist(), sizes.tolist(), strict=True):
        if size < folds:
            name = class_called(kind, class_names)
            raise DataError(
                f"class {name} has {counted(size, 'image')}; {folds} folds need at least {folds} "
                "of every class: add images of it, take the class out, or ask for fewer folds"
            )
    tested = np.stack([_partition(classes, folds, seed, repeat) for repeat in range(repeats)])
    validating = np.zeros((repeats, folds, len(classes)), dtype=bool)
    for repeat in range(repeats):
        for fold in range(folds):
            rest = np.flatnonzero(tested[repeat] != fold)
            order = np.concatenate([rest, np.flatnonzero(tested[repeat] == fold)])
            drawn = make_split(
                classes[order],
                test_start=len(rest),
                validation=validation,
                seed=_state(seed, repeat, fold),
                class_names=class_names,
            )
            validating[repeat, fold, order[drawn.validation]] = True
    return Folds(tested, validating)


def _partition(classes: NDArray[np.int64], folds: int, seed: int, repeat: int) -> NDArray[np.int64]:
    """Return the fold of every image: each class is shuffled, then all are dealt in turn."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, repeat])))
    order = np.concatenate(
        [generator.permutation(np.flatnonzero(classes == kind)) for kind in np.unique(classes)]
    )
    tested = np.empty(len(classes), dtype=np.int64)
    tested[order] = np.arange(len(order)) % folds
    return tested


def _state(*numbers: int) -> int:
    """Return a seed made of several whole numbers, the same on every machine."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
