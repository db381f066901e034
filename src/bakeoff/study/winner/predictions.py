"""Predictions for new images: of picture files, folders, npz files or an array."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.formats.npz import read_images
from bakeoff.data.image_files.image_file import decoding
from bakeoff.data.in_memory.frames import images_of
from bakeoff.data.source_images import in_ledger, pixel_key
from bakeoff.errors import BakeoffError, DataError, printable
from bakeoff.study.frame import frame
from bakeoff.study.winner.picture_files import picture_files
from bakeoff.study.winner.read_pictures import Adapt, PicturesReader
from bakeoff.study.winner.trained_model import TrainedModel
from bakeoff.utils.text import counted, percent, probability, shown

CENTRED = "centred"
UNLIKE = "unlike training"
BATCH = 256
_NO_FILE = np.uint64(0)
_ROWS_SHOWN = 20


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of some images; the arrays have one row an image.

    probabilities : float32, shape (n, n_classes)
    agreement : share of the seeds that say the same class, shape (n,); 1 for a single seed
    unlike : whether the image is unlike the training images; None where that cannot be told
    centred : whether the figure was centred and scaled
    images : what the network saw, pixels as the data set stores them
    test_images : how many of them the study knows as test images: of a large test set it keeps a
        few, so that there may be more
    caution : what that means, in one sentence; "" where there are none
    """

    names: tuple[str, ...]
    class_names: tuple[str, ...]
    probabilities: NDArray[np.float32]
    agreement: NDArray[np.float64]
    unlike: NDArray[np.bool_] | None
    centred: NDArray[np.bool_]
    images: NDArray[Any]
    model: str
    test_images: int = 0
    caution: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        """Say how many images were predicted, by what, and whether they are test images."""
        caution = f"; {self.caution}" if self.caution else ""
        return f"<Predictions of {counted(len(self), 'image')} by {self.model}{caution}>"

    def _repr_html_(self) -> str:
        """Return the first rows as a table for a notebook's cell."""
        shown_rows = self.rows()[:_ROWS_SHOWN]
        heads = "".join(f"<th>{head.replace('_', ' ')}</th>" for head in shown_rows[0])
        lines = (
            [escape(probability(v) if isinstance(v, float) else v) for v in row.values()]
            for row in shown_rows
        )
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in line)}</tr>" for line in lines)
        first = f"; the first {_ROWS_SHOWN}:" if len(self) > _ROWS_SHOWN else ""
        return (
            f"<div><p>{escape(repr(self)[1:-1])}{first}</p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of every image as a number, shape (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def classes(self) -> list[str]:
        """The class of every image by name."""
        return [self.class_names[label] for label in self.labels]

    def rows(self) -> list[dict[str, Any]]:
        """Return one mapping an image, as `bakeoff predict --json` prints them."""
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :2].tolist()
        rows = []
        for index, (first, second) in enumerate(order):
            rows.append(
                {
                    "image": self.names[index],
                    "class": self.class_names[first],
                    "probability": float(self.probabilities[index, first]),
                    "runner_up": self.class_names[second],
                    "runner_up_probability": float(self.probabilities[index, second]),
                    "note": "; ".join(self.notes(index)),
                }
            )
        return rows

    def notes(self, index: int) -> list[str]:
        """Return what a reader should know of one prediction."""
        notes = [CENTRED] if self.centred[index] else []
        if self.unlike is not None and self.unlike[index]:
            notes.append(UNLIKE)
        if self.agreement[index] < 1:
            notes.append(f"{percent(self.agreement[index], 0)} of the seeds agree")
        return notes

    def csv(self) -> str:
        """Return the rows as CSV, probabilities with full precision."""
        text = io.StringIO()
        rows = self.rows()
        columns = ("image", "class", "probability", "runner_up", "runner_up_probability", "note")
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def to_frame(self) -> Any:
        """Return the rows as a pandas DataFrame, which needs pandas."""
        return frame(self.rows(), index="image")


def predict(
    images: Any,
    trained: TrainedModel,
    *,
    adapt: Adapt = "auto",
    on_image: Callable[[], None] | None = None,
    on_broken: Callable[[str], None] | None = None,
) -> Predictions:
    """Predict images that are no part of the study.

    Parameters
    ----------
    images : picture files, folders of them and npz files, as one path, a sequence of paths or what
        gives them one by one; or an array, shape (n, height, width[, channels]), pixels on the data
        set's own scale; pictures of Pillow's and frames of pixels are read as those of data are
    adapt : whether figures in picture files are centred and scaled; arrays are taken as they are
    on_image : called after each image
    on_broken : called with one sentence for each file that cannot be read, which is then left out;
        without it, the first one is raised

    Raises
    ------
    DataError
    """
    reader = PicturesReader(trained, adapt)
    known = {key for line in trained.folder.read_ledger() for key in line.get("images", [])}
    known.update(trained.study.get("test_images", ()))
    names: list[str] = []
    was_centred: list[bool] = []
    test_images, batches = 0, _Batches(trained)
    for name, pixels, centred_, key in _all_images(images, reader, on_broken):
        keys = {in_ledger(key), in_ledger(pixel_key(pixels, trained.maximum))} if known else set()
        test_images += not known.isdisjoint(keys)
        names.append(name)
        was_centred.append(centred_)
        batches.add(pixels)
        if on_image is not None:
            on_image()
    if not names:
        raise DataError("expected at least one image that can be read, found none")
    seen, each = batches.done()
    mean = each.mean(axis=0)
    agreement = (each.argmax(axis=2) == mean.argmax(axis=1)).mean(axis=0)
    return Predictions(
        names=tuple(names),
        class_names=trained.class_names,
        probabilities=mean,
        agreement=agreement,
        unlike=None if reader.profile is None else reader.profile.unlike(seen),
        centred=np.array(was_centred),
        images=seen,
        model=trained.title,
        test_images=test_images,
        caution=_caution(test_images, trained),
    )


def _caution(test_images: int, trained: TrainedModel) -> str:
    """Say what it means that at least so many images are the study's own; "" of none."""
    if not test_images:
        return ""
    if trained.shipped:
        count = counted(test_images, "of them is an image", "of them are images")
        return (
            f"at least {count} that this model was trained on: the report's numbers, of networks "
            "that had not seen them, say more of how well it predicts"
        )
    count = counted(test_images, "of them is a test image", "of them are test images")
    if not trained.folder.times_opened():
        return (
            f"at least {count} of this study, whose test set is sealed: no ledger counts this look "
            "at them, so decide nothing by it"
        )
    return (
        f"at least {count} of this study: its report says how well these are predicted, and no "
        "ledger counts this look at them"
    )


class _Batches:
    """Images that are predicted BATCH at a time, as they come."""

    def __init__(self, trained: TrainedModel) -> None:
        self._trained = trained
        self._waiting: list[NDArray[Any]] = []
        self._images: list[NDArray[Any]] = []
        self._probabilities: list[NDArray[np.float32]] = []

    def add(self, pixels: NDArray[Any]) -> None:
        """Take an image; predict those that wait where they make a batch."""
        self._waiting.append(pixels)
        if len(self._waiting) == BATCH:
            self._predict()

    def done(self) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Return all images and their probabilities, shape (seeds, n_images, n_classes)."""
        if self._waiting:
            self._predict()
        return np.concatenate(self._images), np.concatenate(self._probabilities, axis=1)

    def _predict(self) -> None:
        batch = np.stack(self._waiting)
        self._images.append(batch)
        self._probabilities.append(self._trained.per_seed(batch))
        self._waiting = []


def _all_images(
    images: Any, reader: PicturesReader, on_broken: Callable[[str], None] | None
) -> Iterator[tuple[str, NDArray[Any], bool, np.uint64]]:
    """Yield (name, pixels as stored, whether it was centred, its file's key) of every image.

    The key is 0 where the image has no file of its own.
    """
    if isinstance(images, str | os.PathLike):
        images = [images]
    elif isinstance(images, Iterator) or getattr(images, "ndim", None) == 1:
        images = list(images)  # paths, as a glob or a column of a frame has them
    if not isinstance(images, Sequence) or not all(
        isinstance(each, str | os.PathLike) for each in images
    ):
        array = reader.checked(images_of(images, "images"), "images")
        yield from ((str(index), image, False, _NO_FILE) for index, image in enumerate(array))
        return
    with decoding():
        for path in picture_files(images):
            try:
                if path.suffix.lower() == ".npz":
                    yield from _of_npz(path, reader)
                else:
                    yield (_called(path), *reader.read(path))
            except BakeoffError as error:
                if on_broken is None:
                    raise
                on_broken(str(error))


def _called(path: Path) -> str:
    """Return a file's whole name, by which a program finds it again, however long it is."""
    return printable(os.fspath(path))


def _of_npz(
    path: Path, reader: PicturesReader
) -> Iterator[tuple[str, NDArray[Any], bool, np.uint64]]:
    array = reader.checked(read_images(path), shown(path))
    for index, image in enumerate(array):
        yield f"{_called(path)}[{index}]", image, False, _NO_FILE
