"""Which images are for training, validation and test: decided once, the same on every machine.

A part is stratified (every class in proportion, drawn with a seed) unless its `taken` is first or
last. Positions count in the pooled array of a data set: training, validation, test.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bakeoff.errors import DataError
from bakeoff.utils.text import shown

_FEW = 10  # images of a class in a part; below it one more or less counts, and ties are drawn
_AMOUNT = "a whole number of images or a fraction below 1"


@dataclass(frozen=True)
class Part:
    """How many images a part takes, and which of them: drawn by class, or an end of the file.

    `amount` is a count (int; 0: none) or a fraction below 1 (float).
    """

    amount: int | float
    taken: Literal["stratified", "first", "last"] = "stratified"


@dataclass(frozen=True, eq=False)
class Split:
    """Three disjoint parts of a data set.

    Attributes
    ----------
    train, validation, test : int64, ascending positions in `DataSet.images`
        `validation` is empty where the study has none.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):
            array = np.array(getattr(self, name), dtype=np.int64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @cached_property
    def hash(self) -> str:
        """SHA-256, hexadecimal, of the three arrays: equal on every platform."""
        digest = hashlib.sha256()
        for name, part in self.parts().items():
            digest.update(f"{name} {len(part)}\n".encode())
            digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        return digest.hexdigest()

    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Return the parts by name: train, validation, test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def make_split(
    labels: ArrayLike,
    *,
    test_start: int | None,
    validation: Part | int | float,
    test: int | float = 0.2,
    seed: int = 0,
    validation_start: int | None = None,
    class_names: Sequence[str] | None = None,
) -> Split:
    """Split a data set.

    The test part is the data set's own where it has one, else a stratified `test` of all images;
    validation is the data set's own, too, or else taken from the rest. So the test part never
    depends on `validation`.

    Parameters
    ----------
    labels : int, shape (n,)
        The class of every image, in the order of `DataSet.images`.
    test_start : int or None
        Where the data set's own test part begins; `test` is then not used.
    validation : Part, int or float
        A number of images, or a fraction of those that are not for test; 0 for none. Where the data
        set has its own validation part it is that part, except for 0: then it is for training.
    test : int or float
        A number of images, or a fraction of all. A fraction of n images is rounded up.
    seed : int
        Fixes what is drawn for the stratified parts.
    validation_start : int or None
        Where the data set's own validation part begins.
    class_names : sequence of str, optional
        What classes are called in messages; their numbers without it.

    Raises
    ------
    DataError
        If a part is too large or too small, or a class has too few images to be spread.
    """
    classes = np.asarray(labels)
    if classes.ndim != 1 or classes.dtype.kind not in "iu":
        raise DataError(
            f"labels: expected whole numbers of shape (n,), found {classes.dtype} of shape "
            f"{classes.shape}"
        )
    draw = _Draw(classes, _whole(seed, "split.seed"), class_names)
    end = len(classes) if test_start is None else test_start
    part = validation if isinstance(validation, Part) else Part(validation)
    own, rest = None, np.arange(end)
    if part.amount and validation_start is not None:
        _check_start("validation", validation_start, end, " before the test part")
        own, rest = np.arange(validation_start, end), np.arange(validation_start)
    if test_start is None:
        held_out, rest = draw.take(rest, Part(test), "test")
        if not len(held_out):
            raise DataError(f"split.test: expected at least 1 image, found {test}: give more")
    else:
        _check_start("test", test_start, len(classes))
        held_out = np.arange(test_start, len(classes))
    if own is None:
        own, rest = draw.take(rest, part, "validation")
    _check_trained(classes, rest, own, part, class_names)
    return Split(train=rest, validation=own, test=held_out)


def _check_start(part: str, start: int, end: int, which: str = "") -> None:
    """Refuse a part of the data's own that leaves no image before it, or has none."""
    if not 0 < start < end:
        raise DataError(
            f"{part} part: expected to start inside the {end:,} images{which}, found {start}"
        )


def class_called(kind: int, class_names: Sequence[str] | None) -> str:
    """Return what a message calls a class: its name, or its number where there are no names."""
    return str(kind) if class_names is None else shown(class_names[kind])


def _check_trained(
    classes: NDArray[np.integer],
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    part: Part,
    class_names: Sequence[str] | None,
) -> None:
    """Refuse a split whose validation part takes all images of a class from training."""
    untrained = np.setdiff1d(classes[validation], classes[train])
    if not len(untrained):
        return
    name = class_called(int(untrained[0]), class_names)
    cure = (
        f"the {part.taken} images are of few classes: write validation: 0.2, which takes some of "
        "every class"
        if part.taken != "stratified"
        else "take fewer, add images of this class, or write validation: 0 (and selection: last)"
    )
    raise DataError(
        f"split.validation: expected training images of every class, found none of class {name}: "
        f"{cure}"
    )


def stratified_counts(
    sizes: ArrayLike, total: int, *, order: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Share `total` among classes in proportion to their sizes, by largest remainder.

    No class is used up while another could give an image instead.

    Parameters
    ----------
    sizes : int, shape (n_classes,)
        How many images each class has.
    total : int
        At most their sum; it is met exactly.
    order : int64, shape (n_classes,), optional
        Which of equal remainders comes first: a permutation, so that ties are not always decided
        for the same classes. The first class comes first without it.

    Returns
    -------
    int64, shape (n_classes,)
    """
    have = np.asarray(sizes, dtype=np.int64)
    quotient, remainder = np.divmod(total * have, max(int(have.sum()), 1))
    short = total - int(quotient.sum())
    tie = np.arange(len(have)) if order is None else order
    quotient[np.lexsort((tie, -remainder))[:short]] += 1
    for used_up in np.flatnonzero((quotient == have) & (have > 0)):
        room = have - quotient
        giver = int(np.argmax(room))
        if room[giver] < 2:
            break
        quotient[used_up] -= 1
        quotient[giver] += 1
    return quotient


class _Draw:
    """Takes parts from pools of positions, one after the other, with one seed."""

    def __init__(
        self, classes: NDArray[np.integer], seed: int, class_names: Sequence[str] | None
    ) -> None:
        self._classes = classes
        self._names = class_names
        self._generator = np.random.Generator(np.random.PCG64(seed))
        self._ties = np.random.Generator(np.random.PCG64([seed, 1]))

    def take(
        self, pool: NDArray[np.int64], part: Part, name: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (the part, what remains of the pool), both ascending."""
        count = _count(part.amount, len(pool), f"split.{name}")
        if part.taken == "first":
            return pool[:count], pool[count:]
        if part.taken == "last":
            return pool[len(pool) - count :], pool[: len(pool) - count]
        chosen = self._draw(pool, count) if count else np.zeros(0, dtype=np.int64)
        rest = np.ones(len(self._classes), dtype=bool)
        rest[chosen] = False
        return np.sort(chosen), pool[rest[pool]]

    def _draw(self, pool: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        present, sizes = np.unique(self._classes[pool], return_counts=True)
        for kind in present[sizes == 1]:
            if np.count_nonzero(self._classes == kind) == 1:
                name = class_called(kind, self._names)
                raise DataError(
                    f"class {name} has 1 image; a stratified split needs at least 2 of every "
                    "class: add images of it, or take the class out"
                )
        few = count * sizes.min() < _FEW * sizes.sum()
        order = self._ties.permutation(len(sizes)) if few else None
        shares = stratified_counts(sizes, count, order=order)
        drawn = [
            self._generator.permutation(pool[self._classes[pool] == kind])[:share]
            for kind, share in zip(present, shares, strict=True)
        ]
        return np.concatenate(drawn)


def _count(amount: object, available: int, name: str) -> int:
    """Return how many images an amount means; a fraction is rounded up, exactly."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | np.integer | np.floating):
        raise DataError(f"{name}: expected {_AMOUNT}, found {amount!r}")
    if not math.isfinite(amount) or amount < 0 or (amount >= 1 and amount != int(amount)):
        raise DataError(f"{name}: expected {_AMOUNT}, found {amount}")
    if isinstance(amount, float | np.floating) and amount >= 1:
        raise DataError(
            f"{name}: expected {_AMOUNT}, found {amount}: write {int(amount)} if images are meant"
        )
    whole = isinstance(amount, int | np.integer)
    count = int(amount) if whole else math.ceil(Fraction(repr(float(amount))) * available)
    if count >= available:
        raise DataError(
            f"{name}: expected fewer than the {available:,} images that remain for training, "
            f"found {count:,}: give a smaller number or a fraction below 1"
        )
    return count


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise DataError(f"{name}: expected a whole number from 0, found {value!r}")
    return int(value)
