"""The seal: jobs that train are handed the training and validation images only, as files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bakeoff.storage import atomic, formats

if TYPE_CHECKING:
    from bakeoff.training.trainer import Development


DEVELOPMENT = ("train_images", "train_labels", "validation_images", "validation_labels")


def write_development(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the arrays DEVELOPMENT where training jobs map them into memory."""
    for name in DEVELOPMENT:
        atomic.write_file(folder / f"{name}.npy", formats.npy_bytes(arrays[name]))


def read_development(
    folder: Path, *, maximum: float, n_classes: int, class_names: tuple[str, ...] = ()
) -> "Development":
    """Return the images that training may see, memory-mapped."""
    from bakeoff.training.trainer import Development

    train_images, train_labels, validation_images, validation_labels = (
        formats.read_npy(folder / f"{name}.npy") for name in DEVELOPMENT
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


def with_features(backbone: str, data: "Development") -> "Development":
    """Return the data with a frozen backbone's features in the place of images."""
    from bakeoff.training.backbones.features import features

    return replace(
        data,
        train_images=features(backbone, data.train_images, maximum=data.maximum),
        validation_images=features(backbone, data.validation_images, maximum=data.maximum),
        maximum=1.0,
        image_shape=data.input_shape,
    )
