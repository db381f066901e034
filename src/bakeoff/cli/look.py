"""A data set for the eye: counts, a grid of images, one image as picture and as numbers.

Positions count in the order of training, validation, test, as everywhere in Bakeoff.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import data as datasets
from bakeoff import recipe as recipes
from bakeoff.data import DataSet, about_pixels, class_counts, own_parts
from bakeoff.data.recognise import about_name, guessed, recognise
from bakeoff.data.source_images import identical_keys
from bakeoff.data.split import Split
from bakeoff.errors import DataError, UsageError
from bakeoff.recipe.suggestions import nearest
from bakeoff.storage.atomic import write_file
from bakeoff.study.create import load_split
from bakeoff.utils.text import counted, listed, shown

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement

_RAMP = " .:-=+*#%@"  # dark to light, where there are no colours
_THUMBNAIL = 16  # pixels of the longer side
_PICTURE = 64
_ROW = 8  # images of a class
_COPIES = 5  # images that stand more than once and are named
_NAMED = 4  # copies of each of them
_GAP = 2  # pixels between the images of a saved grid

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Loaded:
    """A data set and its parts, as positions; `divided` by a recipe, else as the data comes."""

    data: DataSet
    parts: Mapping[str, NDArray[np.int64]]
    divided: bool
    sizes: str = ""  # of the pictures, where they are files

    def part(self, position: int) -> str:
        """Return the name of the part an image is in."""
        return next(name for name, rows in self.parts.items() if position in rows)


def load(name: str) -> Loaded:
    """Return what `name` means: a data set's name, a folder, an npz file or a recipe.

    Raises UsageError if it is none of these, DataError if it cannot be read.
    """
    path = Path(name)
    if name in datasets.NAMES:
        data = datasets.load(name)
        data = replace(data, notes=data.notes + about_name(name))
        return Loaded(data, own_parts(data), False)
    if _declares(name, path):
        data, split = load_split(recipes.load(name))
        parts = split.parts() if isinstance(split, Split) else own_parts(data)
        return Loaded(data, parts, True)
    source = recognise(path)
    if source is None:
        close = nearest(name, (*datasets.NAMES, *recipes.shipped()))
        raise UsageError(
            f"expected a data set ({', '.join(datasets.NAMES)}), a folder of images, an npz, "
            f"CSV, IDX or Parquet file, or a recipe, found {shown(name)!r}"
            + (f"; did you mean {close}?" if close else "")
        )
    data = datasets.load(source)
    return Loaded(data, own_parts(data), False, guessed(source)[1])


def _declares(name: str, path: Path) -> bool:
    """Say whether `name` means a recipe; a study's folder is refused as one, with its recipe."""
    if path.suffix in (".yaml", ".yml") or (path / "study.json").is_file():
        return True
    return name in recipes.shipped() and not path.exists()


# ── the whole ────────────────────────────────────────────────────────────────────────────────


def overview(loaded: Loaded) -> list[RenderableType]:
    """Return counts and a grid of training images, for rich to print."""
    data = loaded.data
    sizes = [f"{len(rows):,} {name}" for name, rows in loaded.parts.items() if len(rows)]
    shape = "×".join(str(side) for side in data.input_shape)
    classes = counted(data.n_classes, "class", "classes")
    sizes = [size.removesuffix(" all") for size in sizes]
    return [
        f"{data.name}: {listed(sizes)} images of {shape}, {classes}; {about_pixels(data.maximum)}",
        *([f"{loaded.sizes}; they are brought to {shape}."] if loaded.sizes else []),
        *data.notes,
        *_copies(data),
        "",
        _counts(loaded),
        "",
        _Grid(loaded),
        _about_grid(loaded),
    ]


def _copies(data: DataSet) -> list[str]:
    """Return lines on images that stand more than once, by the names of their files."""
    keys = identical_keys(data, np.arange(len(data.labels)))
    _, groups, counts = np.unique(keys, return_inverse=True, return_counts=True)
    more = np.flatnonzero(counts > 1)
    if not len(more):
        return []
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(counts)
    sets = [order[ends[each] - counts[each] : ends[each]] for each in more]
    sets.sort(key=lambda rows: (len(set(data.labels[rows].tolist())) == 1, int(rows[0])))
    mixed = sum(len(set(data.labels[rows].tolist())) > 1 for rows in sets)
    across = f", {mixed:,} of them in several classes" if mixed else ""
    stand = "image stands" if len(sets) == 1 else "images stand"
    lines = [f"{len(sets):,} {stand} more than once{across}:"]
    lines += [f"  {_alike(data, rows)}" for rows in sets[:_COPIES]]
    return [*lines, f"  and {len(sets) - _COPIES:,} more"] if len(sets) > _COPIES else lines


def _alike(data: DataSet, rows: NDArray[np.int64]) -> str:
    named = " = ".join(_called(data, row) for row in rows[:_NAMED])
    more = len(rows) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _called(data: DataSet, row: int) -> str:
    name = data.files[row] if data.files is not None else f"{row:,}"
    return f"{name} ({data.class_names[data.labels[row]]})"


def _about_grid(loaded: Loaded) -> str:
    text = "The numbers are positions, for --image."
    if len(loaded.parts.get("test", ())):
        return f"{text} Shown are training images; the test images are left alone."
    if loaded.divided:
        return f"{text} There is no test part: every image is tested in turn."
    return f"{text} There is no test part yet: a recipe's split draws one, some of these perhaps."


def _counts(loaded: Loaded) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    counts = {n: c for n, c in class_counts(loaded.data, loaded.parts).items() if c.any()}
    table.add_column("class")
    for name in counts:
        table.add_column("images" if name == "all" else name, justify="right")
    for label, name in enumerate(loaded.data.class_names):
        table.add_row(Text(name), *(f"{count[label]:,}" for count in counts.values()))
    table.add_row("all", *(f"{count.sum():,}" for count in counts.values()), style="bold")
    return table


def _first(loaded: Loaded, label: int, count: int) -> list[int]:
    """Return the positions of a class's first images of the training part."""
    rows = next(iter(loaded.parts.values()))
    found = rows[loaded.data.labels[rows] == label][:count]
    return [int(position) for position in found]


class _Grid:
    """A row of small images for every class, as many as the window is wide."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        from rich.table import Table
        from rich.text import Text

        data = self._loaded.data
        height, width, _ = data.input_shape
        wide = max(-(-width // _factor(height, width, _THUMBNAIL)), 5)
        name = min(max(len(name) for name in data.class_names), 16)
        count = max(min((options.max_width - name - 2) // (wide + 2), _ROW), 1)
        for label, title in enumerate(data.class_names):
            table = Table.grid(padding=(0, 2, 0, 0))
            table.add_column(width=name)
            positions = _first(self._loaded, label, count)
            images = [Picture(_rgb(data, each), _THUMBNAIL) for each in positions]
            numbers = [Text(str(each), style="dim") for each in positions]
            table.add_row(Text(title), *images)
            table.add_row("", *numbers)
            yield table


# ── one image ────────────────────────────────────────────────────────────────────────────────


def image(loaded: Loaded, position: int) -> list[RenderableType]:
    """Return one image as picture and numbers, for rich to print; UsageError if there is none."""
    data = loaded.data
    _require(loaded, position)
    part = loaded.part(position)
    title = f"{data.name} image {position}: {data.class_names[data.labels[position]]}"
    parts: list[RenderableType] = [title if part == "all" else f"{title} ({part} part)"]
    if part == "test":
        parts.append(
            "A test image. Looking trains nothing, but what you decide after looking has used it."
        )
    return [*parts, Picture(_rgb(data, position), _PICTURE), *_matrices(data, position)]


def _require(loaded: Loaded, position: int) -> None:
    last = len(loaded.data.labels) - 1
    if not 0 <= position <= last:
        raise UsageError(f"--image: expected a position from 0 to {last:,}, found {position:,}")


def _matrices(data: DataSet, position: int) -> list[str]:
    pixels = data.images[position]
    channels = pixels.shape[-1]
    if channels == 1:
        return [numbers(pixels[..., 0])]
    names = ("red", "green", "blue")
    return [f"{names[k]}:\n{numbers(pixels[..., k])}" for k in range(channels)]


def numbers(pixels: NDArray[Any]) -> str:
    """Return a matrix of shape (height, width) as text, one line a row, columns aligned."""
    whole = pixels.dtype.kind in "iu"
    cells = [[str(value) if whole else f"{value:.2f}" for value in row] for row in pixels.tolist()]
    wide = max(len(cell) for row in cells for cell in row)
    return "\n".join(" ".join(cell.rjust(wide) for cell in row) for row in cells)


def _rgb(data: DataSet, position: int) -> Pixels:
    """Return an image as uint8 of shape (height, width, 3), white being 255."""
    scaled = np.clip(data.images[position].astype(np.float64) / data.maximum, 0, 1)
    grey = (scaled * 255).round().astype(np.uint8)
    return np.repeat(grey, 3, axis=2) if grey.shape[2] == 1 else grey


def _factor(height: int, width: int, side: int) -> int:
    return -(-max(height, width) // side)


def _shrunk(pixels: Pixels, side: int) -> Pixels:
    """Return the image with no side longer than `side`, blocks of pixels averaged."""
    height, width, _ = pixels.shape
    factor = _factor(height, width, side)
    if factor == 1:
        return pixels
    frame = ((0, -height % factor), (0, -width % factor), (0, 0))
    padded = np.pad(pixels.astype(np.float64), frame, mode="edge")
    rows, columns = padded.shape[0] // factor, padded.shape[1] // factor
    blocks = padded.reshape(rows, factor, columns, factor, 3)
    return np.asarray(blocks.mean(axis=(1, 3)).round(), dtype=np.uint8)


class Picture:
    """An image of shape (height, width, 3) in characters: half blocks, or a ramp without colour."""

    def __init__(self, pixels: Pixels, side: int) -> None:
        self._pixels = pixels
        self._side = side

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Draw two rows of pixels in a line."""
        from rich.style import Style
        from rich.text import Text

        pixels = self._fitting(options)
        pixels = np.pad(pixels, ((0, len(pixels) % 2), (0, 0), (0, 0)))
        plain = console.no_color or console.color_system not in ("truecolor", "256")
        for upper, lower in zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True):
            line = Text(no_wrap=True)
            for above, below in zip(upper, lower, strict=True):
                if plain or options.ascii_only:
                    level = (sum(above) + sum(below)) / (6 * 255)
                    line.append(_RAMP[round(level * (len(_RAMP) - 1))])
                else:
                    colours = (f"rgb({r},{g},{b})" for r, g, b in (above, below))
                    line.append("▀", Style(color=next(colours), bgcolor=next(colours)))
            yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        width = self._fitting(options).shape[1]
        return Measurement(width, width)

    def _fitting(self, options: ConsoleOptions) -> Pixels:
        return _shrunk(self._pixels, min(self._side, options.max_width))


# ── a file ───────────────────────────────────────────────────────────────────────────────────


def save(loaded: Loaded, path: Path, *, position: int | None = None) -> None:
    """Save one image, or else the grid of training images, as PNG; refuses to overwrite.

    Raises UsageError or StorageError.
    """
    if path.suffix.lower() != ".png":
        raise UsageError(f"--save: expected a name that ends in .png, found {shown(path)}")
    if path.exists():
        raise UsageError(f"--save: expected a new file, found {shown(path)} there already")
    if not path.parent.is_dir():
        raise DataError(f"--save: expected a folder to save in, found no {shown(path.parent)}")
    if position is not None:
        _require(loaded, position)
    pixels = _mosaic(loaded) if position is None else _rgb(loaded.data, position)
    from PIL import Image

    factor = max(320 // max(pixels.shape[:2]), 1)
    larger = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    content = io.BytesIO()
    Image.fromarray(larger).save(content, format="PNG")
    write_file(path, content.getvalue())


def _mosaic(loaded: Loaded) -> Pixels:
    """Return the grid as one image, white between the images."""
    data = loaded.data
    height, width, _ = data.input_shape
    high, wide = height + _GAP, width + _GAP
    whole = np.full((data.n_classes * high - _GAP, _ROW * wide - _GAP, 3), 255, dtype=np.uint8)
    for label in range(data.n_classes):
        for column, position in enumerate(_first(loaded, label, _ROW)):
            top, left = label * high, column * wide
            whole[top : top + height, left : left + width] = _rgb(data, position)
    return whole
