"""Features of images, kept by the images' hashes, so that a backbone sees every image once.

They lie in the user's cache, or in $BAKEOFF_HOME/features, in one folder for each backbone.
Each file holds some images' hashes and features and is named for its own content; one that is
damaged counts as missing. Deleting the folder only costs the time to compute them again.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from bakeoff.errors import StorageError
from bakeoff.recipe.types import ImageChange
from bakeoff.recipe.vocabulary.backbones import features_identity
from bakeoff.storage.atomic import clear_temporary, read_file, write_file
from bakeoff.utils.user_paths import named_folder, user_cache

Hashes = list[bytes]


def image_hashes(images: NDArray[np.generic], *, maximum: float) -> Hashes:
    """Return 32 bytes for each image: of its pixels, shape, kind of number and maximum."""
    head = f"{images.shape[1:]} {images.dtype.str} {maximum!r}".encode()
    return [hashlib.sha256(head + np.ascontiguousarray(image).data).digest() for image in images]


def features_root() -> Path:
    """Return where the features of all backbones lie."""
    found = named_folder("BAKEOFF_HOME") or user_cache()
    if found is None:
        raise StorageError(
            "expected a home folder for the features of images, found none: set HOME, or "
            "BAKEOFF_HOME to a folder of yours"
        )
    return found / "features"


def features_folder(backbone: str, change: ImageChange | None = None) -> Path:
    """Return where the features of a backbone lie, of images that were changed before or not."""
    depends_on = features_identity(backbone, "" if change is None else change.identity)
    return features_root() / hashlib.sha256(depends_on.encode()).hexdigest()[:16]


def files_with(folder: Path, wanted: Sequence[bytes]) -> list[Path]:
    """Return the files that hold features of any of the wanted images."""
    asked = set(wanted)
    return [path for path in _files(folder) if asked & _read(path).keys()]


def read_features(folder: Path, wanted: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
    """Return the features that are kept of the wanted images, by hash; each of shape (n,)."""
    asked = set(wanted)
    return {
        digest: row
        for path in _files(folder)
        for digest, row in _read(path).items()
        if digest in asked
    }


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _read(path: Path) -> dict[bytes, NDArray[np.float32]]:
    """Return all features in a file, by the hash of their image; none where it is damaged."""
    try:
        content = read_file(path)
        if hashlib.sha256(content).hexdigest() != path.stem:
            return {}
        arrays = load(content)
        hashes, features = arrays["hashes"], arrays["features"]
    except (StorageError, SafetensorError, KeyError):
        return {}
    return dict(zip(map(bytes, hashes), features, strict=True))


def write_features(folder: Path, hashes: Sequence[bytes], features: NDArray[np.float32]) -> None:
    """Keep features, shape (n images, n), of the images with these hashes."""
    arrays = {
        "hashes": np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1),
        "features": np.ascontiguousarray(features, np.float32),
    }
    content = save(arrays)
    clear_temporary(folder)  # of runs that were killed: the next one computes the same images
    write_file(folder / f"{hashlib.sha256(content).hexdigest()}.safetensors", content)
