"""The seal: jobs that train are handed the training and validation images only, as files."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe.types import Backbone
from bakeoff.storage import array_files, atomic, feature_cache

if TYPE_CHECKING:
    from bakeoff.training.trainer import Development


DEVELOPMENT = ("train_images", "train_labels", "validation_images", "validation_labels")


def write_development(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the arrays DEVELOPMENT where training jobs map them into memory."""
    for name in DEVELOPMENT:
        atomic.write_file(folder / f"{name}.npy", array_files.npy_bytes(arrays[name]))


def development_files(folder: Path) -> list[Path]:
    """Return the files of the arrays DEVELOPMENT."""
    return [folder / f"{name}.npy" for name in DEVELOPMENT]


def read_development(
    folder: Path, *, maximum: float, n_classes: int, class_names: tuple[str, ...] = ()
) -> "Development":
    """Return the images that training may see, memory-mapped."""
    from bakeoff.training.trainer import Development

    train_images, train_labels, validation_images, validation_labels = (
        array_files.read_npy(path) for path in development_files(folder)
    )
    return Development(
        train_images,
        train_labels,
        validation_images,
        validation_labels,
        maximum=maximum,
        n_classes=n_classes,
        class_names=class_names,
    )


def feature_files(backbone: Backbone, files: tuple[Path, ...], maximum: float) -> list[Path]:
    """Return the files of the user's cache that hold features of the images in npy files."""
    folder, name = feature_cache.features_folder, str(backbone.name)
    return _of_images(
        tuple(folder(name, each) for each in (None, *backbone.changes)), files, maximum
    )


@lru_cache(maxsize=64)
def _of_images(folders: tuple[Path, ...], files: tuple[Path, ...], maximum: float) -> list[Path]:
    arrays = [array_files.read_npy(file) for file in files]
    hashes = [d for images in arrays for d in feature_cache.image_hashes(images, maximum=maximum)]
    return [file for folder in folders for file in feature_cache.files_with(folder, hashes)]


def with_features(backbone: Backbone, data: "Development") -> "Development":
    """Return the data with a frozen backbone's features in the place of images."""
    from bakeoff.training.backbones.features import features

    name, maximum, changes = str(backbone.name), data.maximum, (None, *backbone.changes)
    seen = [features(name, data.train_images, maximum=maximum, change=each) for each in changes]
    return replace(
        data,
        train_images=np.concatenate(seen),
        train_labels=np.tile(data.train_labels, len(seen)),
        validation_images=features(name, data.validation_images, maximum=maximum),
        maximum=1.0,
        image_shape=data.input_shape,
        passes=len(seen),
    )
