"""A first recipe for somebody's images: what `bakeoff new` writes, to be changed by hand.

It says what was found in comments, and it runs as it is.
"""

import json
import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median_low
from typing import Literal

import numpy as np

from bakeoff import data as datasets
from bakeoff import recipe as recipes
from bakeoff.data import DataSet, FolderSource, NpzSource
from bakeoff.data.image_file import FORMATS, decoding, read_picture
from bakeoff.data.split import make_split
from bakeoff.errors import DataError, UsageError
from bakeoff.recipe.value_kinds import nearest
from bakeoff.storage.atomic import write_file
from bakeoff.utils.text import counted, shown

_SAMPLE = 200  # pictures looked at to guess size and colour
_SIDES = (8, 64)  # the sides of the guessed size lie between
_CLASSES_NAMED = 40
_ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")


@dataclass(frozen=True)
class Written:
    """What was written, and remarks for the user."""

    path: Path
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    data: DataSet
    declared: str  # the value of the recipe's `data`, as YAML
    comment: str


def new(wanted: str, *, folder: Path) -> Written:
    """Write a recipe for a folder of images, an npz file or a data set's name into `folder`.

    Raises
    ------
    UsageError : there is no such data, or a file of the recipe's name is there already
    DataError : the data cannot be read
    """
    path, name = Path(wanted), _name(wanted)
    target = folder / f"{name}.yaml"
    if os.path.lexists(target):
        raise UsageError(
            f"{shown(target.name)}: expected to write a new file, found one there already: rename "
            "or remove it"
        )
    if wanted in datasets.NAMES:
        found = _Found(datasets.load(wanted), wanted, "")
    elif path.is_dir():
        found = _look_at_folder(path, folder)
    elif path.suffix == ".npz":
        declared = f"{{npz: {_quoted(_relative(path, folder))}}}"
        found = _Found(datasets.load(NpzSource(path)), declared, "")
    else:
        close = nearest(wanted, datasets.NAMES)
        raise UsageError(
            f"expected a folder of images, an npz file or a data set "
            f"({', '.join(datasets.NAMES)}), found {shown(wanted)!r}"
            + (f"; did you mean {close}?" if close else "")
        )
    data = found.data
    write_file(target, _text(name, found).encode())
    try:
        make_split(data.labels, test_start=data.test_start, validation=0.2)
    except DataError as error:
        return Written(target, (*data.notes, f"before it can run: {error}"))
    return Written(target, data.notes)


def _name(wanted: str) -> str:
    """Return a study's name for the data: lower case, and not that of a shipped recipe."""
    stem = Path(os.path.abspath(wanted)).name.removesuffix(".npz")
    plain = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:60] or "images"
    return f"my-{plain}" if plain in recipes.shipped() else plain


def _relative(path: Path, folder: Path) -> str:
    """Return the path as the recipe will say it: relative to the recipe where it lies below."""
    absolute, root = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    inside = absolute.is_relative_to(root)
    return str(absolute.relative_to(root)) if inside else str(absolute)


def _quoted(text: str) -> str:
    """Return text as YAML reads it back, whatever is in it."""
    if re.fullmatch(r"[A-Za-z][\w./-]*", text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _text(name: str, found: _Found) -> str:
    data = found.data
    own = data.test_start is not None
    images = len(data.labels) if data.test_start is None else data.test_start
    counts = np.bincount(data.labels, minlength=data.n_classes).tolist()
    classes = [f"{each} ({count:,})" for each, count in zip(data.class_names, counts, strict=True)]
    more = data.n_classes - _CLASSES_NAMED
    listed = ", ".join(classes[:_CLASSES_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    about = (
        f"A first recipe for {data.name}, to be changed; docs/recipe.md says what it may hold. "
        f"{len(data.labels):,} images of {counted(data.n_classes, 'class', 'classes')}: "
        f"{listed}. {found.comment}"
    )
    split = "{validation: 0.2}" if own else "{validation: 0.2, test: 0.2}"
    batch = 32 if images < 10_000 else 128
    return f"""{_commented(about)}
#   bakeoff plan {name}.yaml
#   bakeoff run {name}.yaml
name: {name}
data: {found.declared}
split: {split}  # shares, or numbers of images{"; the test part is the data's own" if own else ""}
seeds: 5  # every model is trained five times
training:  # for every model; a model may have its own
  epochs: {min(max(200_000 // images, 10), 40)}
  batch_size: {batch}
  optimizer: {{adam: {{learning_rate: 0.001}}}}
models:
{_models(data)}"""


def _commented(text: str) -> str:
    return "\n".join(f"# {line}" for line in textwrap.wrap(text, 96, break_on_hyphens=False))


def _models(data: DataSet) -> str:
    """Return two networks without and, where images are large enough, one with convolutions."""
    height, width, _ = data.input_shape
    blocks = 0
    while blocks < 3 and min(height, width) >> (blocks + 1) >= 3:
        blocks += 1
    cnn = "".join(
        f"      - conv2d: {{filters: {16 << block}, kernel_size: 3, padding: same, "
        "activation: relu}\n      - max_pooling2d: 2\n"
        for block in range(blocks)
    )
    return """\
  small-mlp:
    layers:
      - dense: {units: 32, activation: relu}
  mlp:
    layers:
      - dense: {units: 128, activation: relu}
      - dropout: 0.25
      - dense: {units: 64, activation: relu}
""" + (f"  cnn:\n    layers:\n{cnn}      - dense: {{units: 64, activation: relu}}\n" if cnn else "")


# ── a folder of images ───────────────────────────────────────────────────────────────────────


def _look_at_folder(path: Path, folder: Path) -> _Found:
    height, width, color, sizes = _guess(path)
    data = datasets.load(FolderSource(path, (height, width), color))
    place = _quoted(_relative(path, folder))
    declared = f"{{folder: {place}, size: [{height}, {width}], color: {color}}}"
    return _Found(data, declared, f"{sizes}; Bakeoff brings every image to `size`.")


def _guess(path: Path) -> tuple[int, int, Literal["grey", "rgb"], str]:
    """Return height, width and colour that suit the pictures, and what was found of sizes."""
    from PIL import Image

    sizes, coloured = [], False
    with decoding():
        for file in _sample(path):
            try:
                with Image.open(file, formats=FORMATS) as image:
                    sizes.append((image.height, image.width))
                pixels = read_picture(file, size=(16, 16), color="rgb")
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning, DataError):
                continue  # loading the folder says what is wrong with it
            coloured = coloured or bool((pixels != pixels[..., :1]).any())
    if not sizes:
        return 28, 28, "grey", "No picture could be read"
    height, width = (median_low(each) for each in zip(*sizes, strict=True))
    shrink = max(height, width, _SIDES[1]) / _SIDES[1]
    sides = [max(round(side / shrink), _SIDES[0]) for side in (height, width)]
    all_of = "All" if len(set(sizes)) == 1 else "Typical"
    color: Literal["grey", "rgb"] = "rgb" if coloured else "grey"
    return sides[0], sides[1], color, f"{all_of} pictures looked at are {height}×{width}"


def _sample(path: Path) -> Iterator[Path]:
    """Yield some image files of every class, from the top folder or from train/ and test/."""
    folders = [p for p in sorted(path.glob("*")) + sorted(path.glob("*/*")) if p.is_dir()]
    each = max(_SAMPLE // max(len(folders), 1), 2)
    for folder in folders[:_SAMPLE]:
        files = (p for p in folder.iterdir() if p.suffix.lower() in _ENDINGS and p.is_file())
        yield from islice(files, each)
