"""MNIST and Fashion-MNIST: where they are looked for and how they are recognised.

A file is accepted by content: the SHA-256 of what it holds once unpacked, as an IDX file.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.formats.idx import LIMIT, OTHER, idx_header, read_idx
from bakeoff.data.formats.npz import read_arrays
from bakeoff.errors import ChecksumMismatch
from bakeoff.utils.text import shown
from bakeoff.utils.user_paths import named_folder, user_cache


@dataclass(frozen=True)
class Published:
    """A data set of four IDX files: training and test, images and labels."""

    name: str
    torchvision: str
    class_names: tuple[str, ...]
    mirrors: tuple[str, ...]
    hashes: dict[str, str]


FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}
PUBLISHED = {
    "mnist": Published(
        name="mnist",
        torchvision="MNIST",
        class_names=tuple("0123456789"),
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        hashes={
            "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    "fashion-mnist": Published(
        name="fashion-mnist",
        torchvision="FashionMNIST",
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        hashes={
            "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ),
}


def absent(published: Published) -> str:
    """Return the message for a data set that is found nowhere."""
    name, looked = published.name, places(published)
    some = [folder for folder in looked if 0 < len(missing(folder)) < len(FILES)]
    lacks = "".join(f"; {shown(each)} lacks {', '.join(missing(each))}" for each in some)
    return (
        f"{name}: expected {', '.join(FILES.values())} (or .gz) in one of "
        f"{', '.join(shown(each) for each in looked)}, found them in none{lacks}; downloading is "
        f"off: set BAKEOFF_DATA to a folder in which {name}/ has these files"
    )


def cache_folder(name: str) -> Path | None:
    """Return where downloads of a data set are kept; None for a user without a home: nowhere."""
    cache = user_cache()
    return cache and cache / "data" / name


def places(published: Published) -> list[Path]:
    """Return the folders in which a data set is looked for, first to last."""
    name, home, cache = published.name, os.path.expanduser("~"), cache_folder(published.name)
    given = named_folder("BAKEOFF_DATA")
    keras = Path(os.environ.get("KERAS_HOME") or f"{home}/.keras") / "datasets"
    torch_home = os.environ.get("TORCH_HOME") or f"{home}/.cache/torch"
    folders = [given / name] if given else []
    folders += [cache] if cache else []
    folders.append(keras if name == "mnist" else keras / name)
    for root in ("data", f"{home}/data", torch_home):
        folders.append(Path(root) / published.torchvision / "raw")
    if name == "fashion-mnist":
        folders.append(Path("/usr/share/datasets/fashion-mnist"))
    return folders


def missing(folder: Path) -> list[str]:
    """Return which of a data set's four files a folder has neither plain nor packed."""
    return [stem for stem in FILES.values() if _file(folder, stem) is None]


def _file(folder: Path, stem: str) -> Path | None:
    paths = (folder / stem, folder / f"{stem}.gz")
    return next((path for path in paths if os.path.exists(path)), None)


def read_checked(published: Published, key: str, path: Path) -> NDArray[np.uint8]:
    """Read one of the four files; ChecksumMismatch if it is not the published one."""
    array = read_idx(path, shape=SHAPES[key])
    check_hash(array, published.hashes[key], path)
    return array


def from_files(published: Published, folder: Path) -> DataSet:
    """Read the four files in a folder; ChecksumMismatch if one is not the published one."""

    def read(key: str) -> NDArray[np.uint8]:
        return read_checked(published, key, _file(folder, FILES[key]) or folder / FILES[key])

    return _pooled(published, read)


def from_npz(published: Published, path: Path) -> DataSet:
    """Read Keras's own copy of MNIST."""
    arrays = read_arrays(path, tuple(FILES), limit=LIMIT)
    for key, array in arrays.items():
        check_hash(array, published.hashes[key], path)
    return _pooled(published, arrays.__getitem__)


def _pooled(published: Published, read: Callable[[str], NDArray[np.uint8]]) -> DataSet:
    """Fill one array, training part first, holding no more than one file beside it."""
    labels = np.concatenate([read("y_train"), read("y_test")]).astype(np.int64)
    images = np.empty((len(labels), 28, 28, 1), dtype=np.uint8)
    start = SHAPES["x_train"][0]
    images[:start, ..., 0] = read("x_train")
    images[start:, ..., 0] = read("x_test")
    return DataSet(published.name, images, labels, published.class_names, 255.0, start)


def check_hash(array: NDArray[Any], expected: str, path: Path) -> None:
    """Raise ChecksumMismatch unless an array of bytes, as an IDX file, has this SHA-256."""
    digest = hashlib.sha256(idx_header(array.shape))
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    found = digest.hexdigest()
    if found != expected:
        raise ChecksumMismatch(
            f"{shown(path)}: expected the published file (SHA-256 of its content "
            f"{expected[:12]}…), found another ({found[:12]}…): {OTHER}"
        )
