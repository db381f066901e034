"""What training images look like: a sample of them, their frame, and how far from them is unusual.

The measure: each image is reduced to at most 16 × 16 pixels; principal components of half of the
training images give a Gaussian with one more variance for all that is left (probabilistic PCA,
Tipping and Bishop 1999). An image is unlike the training images if its Mahalanobis distance, or its
mean brightness, lies outside what 99 % of the other half reach and three standard errors more, as a
few images do not reach as far as others will. How often that is wrong is counted on the validation
images, which had no part in it. The file is derived and can be made again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import DataSet
from bakeoff.data.centring import Frame, frame_of
from bakeoff.data.formats.npz import read_arrays
from bakeoff.errors import BakeoffError
from bakeoff.storage import atomic
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.recorded_data import recorded_data
from bakeoff.utils.text import percent

FILE = "training_profile.npz"
SAMPLE = 2_000  # images kept, at most
_SAMPLE_BYTES = 4_000_000
_MEASURED = 10_000  # training images that the measure is made from, at most
_SIDE = 16
_COMPONENTS = 40
_RARE = 0.005  # of the training images, on each side of a limit
_MARGIN = 3.0  # standard errors of a mean, on each side
_LARGEST = 64 * 2**20
_NAMES = ("data", "images", "labels", "mean", "directions", "scales", "limits", "alarms")


@dataclass(frozen=True, eq=False)
class TrainingProfile:
    """A sample of the training images, and the measure of likeness to them.

    images : pixels as stored, shape (n, height, width, channels); labels : int64, shape (n,)
    mean : float32, shape (pixels,); directions : float32, shape (pixels, components)
    scales : float64, shape (components + 1,), standard deviations, the last of all that is left
    limits : largest distance, lowest and highest brightness
    alarms : false alarms on the validation images, and their number
    """

    images: NDArray[Any]
    labels: NDArray[np.int64]
    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    scales: NDArray[np.float64]
    limits: NDArray[np.float64]
    alarms: NDArray[np.int64]
    maximum: float

    def unlike(self, images: NDArray[Any]) -> NDArray[np.bool_]:
        """Say of each image whether it is unlike anything in training; shape (n,)."""
        return self.strangeness(images) > 1

    def strangeness(self, images: NDArray[Any]) -> NDArray[np.float64]:
        """Return how near each image is to the limits, shape (n,); above 1 it is unlike."""
        reduced = _reduced(images, self.maximum)
        distance, bright = self._distance(reduced), reduced.mean(axis=1, dtype=np.float64)
        largest, low, high = self.limits
        half = max((high - low) / 2, 1e-9)
        aside = np.abs(bright - (low + high) / 2) / half
        return np.asarray(np.maximum(distance / max(largest, 1e-9), aside))

    def _distance(self, reduced: NDArray[np.float32]) -> NDArray[np.float64]:
        return _distance(reduced, self.mean, self.directions, self.scales)

    def nearest(self, image: NDArray[Any], count: int) -> NDArray[np.int64]:
        """Return positions in `images` of those nearest in pixels, the nearest first."""
        differences = self.images.astype(np.float32) - image.astype(np.float32)
        squares = np.square(differences).reshape(len(self.images), -1).sum(axis=1)
        return np.argsort(squares, kind="stable")[:count]

    def frame(self) -> Frame | None:
        """Return how figures lie in the training images; None where they have no frame."""
        return frame_of(self.images[:500], self.maximum)

    @property
    def false_alarms(self) -> str:
        """How often the measure minds images that it should not, in words."""
        wrong, among = self.alarms.tolist()
        if not among:
            return "how often that is a false alarm is not known, without a validation part"
        share = percent(wrong / among, 1)
        return f"{wrong:,} of {among:,} validation images ({share}) are called so, too"


def read_profile(folder: StudyFolder) -> TrainingProfile | None:
    """Return a study's profile; made from its data where the file is missing and the data at hand.

    None where neither can be had.
    """
    study = folder.read_study()["data"]
    try:
        arrays = read_arrays(folder.path / FILE, _NAMES, limit=_LARGEST)
        profile = _checked(arrays, study)
    except BakeoffError:
        profile = None
    return profile or _made_again(folder)


def write_profile(folder: StudyFolder, data: DataSet) -> TrainingProfile:
    """Measure the training images of a study and write the file.

    In cross-validation they are all images, of which the model that is shipped was trained.
    """
    if read_recipe(folder, folder.read_study()).split.folds is not None:
        train, validation = np.arange(len(data.images)), np.arange(0)
    else:
        split = read_split(folder)
        train, validation = split["train"], split["validation"]
    profile = measure(data, train, validation)
    arrays: dict[str, Any] = {name: getattr(profile, name) for name in _NAMES if name != "data"}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, data=np.array(data.hash), **arrays)
    atomic.write_file(folder.path / FILE, buffer.getvalue())
    return profile


def measure(
    data: DataSet, train: NDArray[np.int64], validation: NDArray[np.int64]
) -> TrainingProfile:
    """Return the profile of some training images; equal data give an equal one."""
    rng = np.random.default_rng(0)
    mixed = rng.permutation(train)
    room = max(1, _SAMPLE_BYTES // max(1, data.images[0].nbytes))
    kept = np.sort(mixed[: min(SAMPLE, room)])
    chosen = mixed[:_MEASURED]
    half = max(1, len(chosen) // 2)
    fit, rest = chosen[:half], chosen[half:] if len(chosen) > half else chosen
    reduced = _reduced(data.images[fit], data.maximum)
    mean = reduced.mean(axis=0)
    centred = reduced - mean
    values, vectors = np.linalg.eigh(centred.T.astype(np.float64) @ centred / len(fit))
    count = min(_COMPONENTS, len(values) - 1, max(1, len(fit) // 10))
    left = max(float(values[: len(values) - count].mean()), 1e-6)
    scales = np.sqrt(np.maximum([*values[::-1][:count], left], left))
    directions = vectors[:, ::-1][:, :count].astype(np.float32)
    held = _reduced(data.images[rest], data.maximum)
    brightness = held.mean(axis=1, dtype=np.float64)
    distances = _distance(held, mean, directions, scales)
    low, high = np.quantile(brightness, [_RARE / 2, 1 - _RARE / 2])
    aside = _margin(brightness)
    largest = np.quantile(distances, 1 - _RARE) + _margin(distances)
    limits = np.array([largest, low - aside, high + aside])
    profile = TrainingProfile(
        images=data.images[kept],
        labels=data.labels[kept],
        mean=mean,
        directions=directions,
        scales=scales,
        limits=limits,
        alarms=np.zeros(2, np.int64),
        maximum=data.maximum,
    )
    wrong = int(profile.unlike(data.images[validation]).sum()) if len(validation) else 0
    return replace(profile, alarms=np.array([wrong, len(validation)], np.int64))


def _margin(values: NDArray[np.float64]) -> float:
    """Return how much further than some values reach others may."""
    return float(_MARGIN * values.std() / np.sqrt(len(values)))


def _distance(
    reduced: NDArray[np.float32],
    mean: NDArray[np.float32],
    directions: NDArray[np.float32],
    scales: NDArray[np.float64],
) -> NDArray[np.float64]:
    centred = (reduced - mean).astype(np.float64)
    along = centred @ directions
    left = np.maximum(np.square(centred).sum(axis=1) - np.square(along).sum(axis=1), 0)
    return np.asarray(np.sqrt(np.square(along / scales[:-1]).sum(axis=1) + left / scales[-1] ** 2))


def _reduced(images: NDArray[Any], maximum: float) -> NDArray[np.float32]:
    """Return images as rows of at most 16 × 16 means, 1 is white; colours are averaged."""
    whole = images.astype(np.float32)
    grey: NDArray[Any] = whole[..., 0] if whole.shape[3] == 1 else whole.mean(axis=3)
    grey = grey / np.float32(maximum)
    for axis in (1, 2):
        length = grey.shape[axis]
        if length > _SIDE:
            edges, widths = _cells(length)
            sums = np.add.reduceat(grey, edges, axis=axis)
            grey = sums / (widths[:, None] if axis == 1 else widths)
    return grey.reshape(len(grey), -1).astype(np.float32, copy=False)


@cache
def _cells(length: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return where the cells along a side of an image begin, and how many pixels each has."""
    edges = np.arange(_SIDE) * length // _SIDE
    return edges, np.diff([*edges, length]).astype(np.float32)


def _checked(
    arrays: Mapping[str, NDArray[Any]], study: Mapping[str, Any]
) -> TrainingProfile | None:
    """Return the profile that a file's arrays make; None where they are not this study's."""
    values = {name: arrays[name] for name in _NAMES if name != "data"}
    shape, classes = tuple(study["input_shape"]), len(study["class_names"])
    pixels = min(shape[0], _SIDE) * min(shape[1], _SIDE)
    count = values["directions"].shape[-1] if values["directions"].ndim == 2 else 0
    wanted = {
        "images": (len(values["labels"]), *shape),
        "mean": (pixels,),
        "directions": (pixels, count),
        "scales": (count + 1,),
        "limits": (3,),
        "alarms": (2,),
    }
    sound = (
        arrays["data"].size == 1
        and str(arrays["data"].reshape(())) == study["hash"]
        and all(values[name].shape == each for name, each in wanted.items())
        and values["labels"].dtype == np.int64
        and ((values["labels"] >= 0) & (values["labels"] < classes)).all()
        and all(values[name].dtype.kind in "fu" for name in ("images", "mean", "directions"))
        and all(np.isfinite(each).all() for each in values.values())
        and (values["scales"] > 0).all()
        and values["limits"][0] > 0
    )
    return TrainingProfile(**values, maximum=float(study["maximum"])) if sound else None


def _made_again(folder: StudyFolder) -> TrainingProfile | None:
    recorded = recorded_data(folder)
    if recorded is None:
        return None
    with suppress(BakeoffError):  # the folder may not be written
        return write_profile(folder, recorded[0])
    return None
