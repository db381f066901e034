"""Data sets in IDX files: any images and labels in MNIST's own format, by their paths."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.formats.emnist import transposed
from bakeoff.data.formats.idx import read_idx
from bakeoff.data.in_memory.arrays import Given, from_parts
from bakeoff.data.safe_reading import check_different, refusing
from bakeoff.data.sources import IdxSource
from bakeoff.data.words import part_of
from bakeoff.errors import DataError
from bakeoff.utils.clutter import visible
from bakeoff.utils.text import listed, shown, some


def load_idx(source: IdxSource) -> DataSet:
    """Read images and labels, or training images, training labels, test images, test labels.

    Raises DataError for anything else, images and labels in the wrong order included.
    """
    paths = [Path(each) for each in source.idx]
    if len(paths) not in (2, 4):
        raise DataError(
            f"idx: expected [images, labels] or [images, labels, test images, test labels], found "
            f"{len(paths)} files"
        )
    check_different(dict(zip(("training images", "test images"), paths[::2], strict=False)))
    arrays = [read_idx(path) for path in paths]
    for path, array, labels in zip(paths, arrays, (False, True) * 2, strict=False):
        _check_dimensions(path, array, labels=labels)
    parts = {"train": Given(arrays[0], arrays[1], shown(paths[0].name), shown(paths[1].name))}
    if len(paths) == 4:
        parts["test"] = Given(arrays[2], arrays[3], shown(paths[2].name), shown(paths[3].name))
    parts, notes = transposed(parts, source.transpose, paths[0])
    with refusing(paths[0].parent):
        title = shown(paths[0].resolve().parent.name)
        return from_parts(title, parts, scale=source.scale, notes=notes + _left_out(paths))


def _check_dimensions(path: Path, array: NDArray[np.uint8], *, labels: bool) -> None:
    wanted = "labels (1 dimension)" if labels else "images (3 dimensions)"
    if labels and array.ndim == 2:
        raise DataError(
            f"{shown(path)}: expected {wanted}, found {array.ndim} dimensions, "
            f"{array.shape[0]:,} × {array.shape[1]:,}: store one label an image, as in "
            "labels.argmax(axis=1) of one-hot rows"
        )
    if (array.ndim == 1) != labels:
        raise DataError(
            f"{shown(path)}: expected {wanted}, found {array.ndim} dimensions: the order is "
            "[images, labels, test images, test labels]"
        )


def idx_files(folder: Path, beside: str = "") -> tuple[Path, ...]:
    """Return the IDX files in a folder in the order of `idx:`; none where names do not tell it.

    They are recognised by their names: …images… or …idx3…, …labels… or …idx1…, train or t10k.

    beside : the name of one of them; then only those that begin like it, up to train or t10k
    """
    found = _by_name(folder, _set_of(beside))
    wanted = [(part, kind) for part in ("train", "test") for kind in ("images", "labels")]
    if not {("train", "images"), ("train", "labels")} <= found.keys():
        return ()
    complete = set(wanted) <= found.keys()
    return tuple(found[each] for each in (wanted if complete else wanted[:2]))


def _set_of(name: str) -> str:
    """Return what a file's name says before the part: emnist-letters-, of six sets in a folder."""
    begin, *rest = re.split("train|t10k|test|valid", name.lower(), maxsplit=1)
    return begin if rest else ""


def _by_name(folder: Path, prefix: str = "") -> dict[tuple[str, str], Path]:
    """Return the IDX files in a folder by (part, images or labels), as their names tell."""
    found: dict[tuple[str, str], Path] = {}
    paths = visible(folder.iterdir())
    names = {path.name for path in paths if path.is_file()}
    for path in paths:
        if path.name.removesuffix(".gz") in names - {path.name}:  # as torchvision leaves it
            continue
        stem = path.name.removesuffix(".gz").lower()
        other = "idx" not in stem and "ubyte" not in stem
        if other or not stem.startswith(prefix) or not path.is_file():
            continue
        part, kind = _part_and_kind(stem)
        if (part, kind) in found:
            raise DataError(
                f"{shown(folder)}: expected IDX files of one data set, found "
                f"{listed([shown(found[part, kind].name), shown(path.name)])}: name one of them, "
                "or in a recipe the files, {idx: [images, labels]}"
            )
        found[part, kind] = path
    return found


def _part_and_kind(stem: str) -> tuple[str, str]:
    """Return (train, validation or test; images or labels) by the name of an IDX file."""
    kind = "labels" if "idx1" in stem or "labels" in stem else "images"
    bare = re.sub("ubyte|idx[13]|labels", "", stem.replace("t10k", "test")).split("emnist-")[-1]
    parts = map(part_of, re.split("[-_.]", bare))
    return next((part for part in parts if part), "train"), kind


def _left_out(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return a note on files of the same data set, in the same folder, that are in no use."""
    try:
        found = _by_name(paths[0].parent)
    except (DataError, OSError):
        return ()
    there = {path.resolve(): path.name for path in found.values()}
    used = {path.resolve() for path in paths}
    others = [shown(name) for path, name in there.items() if path not in used]
    if not used <= there.keys() or not others:
        return ()
    valid = any(part == "validation" for part, _ in found)
    cure = ": split.validation takes validation images from training" if valid else ""
    return (f"left out {some(others)} in the same folder{cure}",)
