"""Data sets in Parquet files as Hugging Face stores them: encoded images and their labels."""

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet, part_starts
from bakeoff.data.formats.parquet_files import other_shards, parquet_files
from bakeoff.data.image_files.decode_files import check_pictures
from bakeoff.data.image_files.decoded_images import DecodedImages, to_decode
from bakeoff.data.image_files.file_scale import White, find_white, first_white
from bakeoff.data.image_files.guess import sample
from bakeoff.data.image_files.image_file import decode_bytes, decoding
from bakeoff.data.labels import Labels, listed_labels, pooled_labels
from bakeoff.data.safe_reading import refusing, regular_file
from bakeoff.data.sources import ParquetSource
from bakeoff.data.words import PART_COLUMNS, bare, role_of, unused_columns
from bakeoff.errors import DataError
from bakeoff.utils.text import shown, some
from bakeoff.utils.user_paths import to_install


def load_parquet(source: ParquetSource) -> DataSet:
    """Read a Parquet file, or a folder of train-…, validation-… and test-….parquet.

    Images are encoded files (PNG, JPEG …), as bytes or as {bytes, path}; labels whole numbers or
    text. The names of classes are taken from Hugging Face's own description where it is there.

    Raises
    ------
    DataError
        If pyarrow is not installed, no file is there, or its columns are others.
    """
    check_pictures(source)
    root = Path(source.parquet)
    files = parquet_files(root)
    with refusing(root):
        first = _opened(next(iter(files.values()))[0])
        columns = first.schema_arrow.names
        image, label = _columns(columns, source.columns or {})
        names = _class_names(first, label)
        _check_names(files, label, names)
        counts = {
            part: sum(_opened(each).metadata.num_rows for each in paths)
            for part, paths in files.items()
        }
        decoded, white, values = _decoded(files, image, label, source, counts)
        labels = {
            f"{label} ({part})": Labels(listed_labels(each, label), len(each))
            for part, each in values.items()
        }
        classes = pooled_labels(labels, names, list(files))
    validation_start, test_start = part_starts(counts)
    return DataSet(
        shown(root.stem),
        decoded.images,
        classes.values,
        classes.names,
        white.maximum,
        test_start,
        notes=(
            f"read from the columns {image} and {label}{_ignored(columns, (image, label))}",
            *other_shards(root),
            *white.notes,
        ),
        origins=decoded.origins,
        validation_start=validation_start,
        deep_white=white.deep,
    )


def _decoded(
    files: Mapping[str, Sequence[Path]],
    image: str,
    label: str,
    how: ParquetSource,
    counts: Mapping[str, int],
) -> tuple[DecodedImages, White, dict[str, list[Any]]]:
    """Return (the images of all files, what white is in them, the labels of each part)."""
    decoded = to_decode(sum(counts.values()), how)

    def decode(white: float, only: Container[int] | None = None) -> dict[str, list[Any]]:
        rows = {part: _rows(paths, image, label) for part, paths in files.items()}
        return _fill(decoded, rows, how, white, only)

    def again(which: NDArray[np.int64], white: float) -> None:
        decode(white, set(which.tolist()))

    labels = decode(first_white(how))
    return decoded, find_white(decoded, how, counts, again), labels


def _ignored(columns: Sequence[str], used: Sequence[str]) -> str:
    """Name the columns that are in no use; parts are told by files alone."""
    unused = unused_columns(columns, used)
    if not unused:
        return ""
    part = next((each for each in unused if bare(each) in PART_COLUMNS), None)
    files = f" (parts are files, train-… and test-…, not cells of {shown(part)})" if part else ""
    return f"; ignored {some([shown(each) for each in unused])}{files}"


def _fill(
    decoded: DecodedImages,
    rows: Mapping[str, Iterable[tuple[bytes, Any]]],
    how: ParquetSource,
    white: float,
    only: Container[int] | None,
) -> dict[str, list[Any]]:
    """Decode the images of all rows, or at `only` some positions; return the labels by part."""
    labels: dict[str, list[Any]] = {part: [] for part in rows}
    every = ((part, *row) for part, contents in rows.items() for row in contents)
    with decoding():
        for position, (part, content, label) in enumerate(every):
            labels[part].append(label)
            if only is None or position in only:
                read = decode_bytes(
                    content,
                    f"image {position:,}",
                    size=how.size,
                    color=how.color,
                    fit=how.fit,
                    white=white,
                )
                decoded.put(position, read)
    return labels


def some_images(source: ParquetSource) -> list[bytes]:
    """Return a sample of the encoded images of the first file; or DataError."""
    root = Path(source.parquet)
    with refusing(root):
        path = next(iter(parquet_files(root).values()))[0]
        file = _opened(path)
        image, label = _columns(file.schema_arrow.names, source.columns or {})
        rows = set(sample(file.metadata.num_rows))
        every = enumerate(_rows([path], image, label))
        return [content for place, (content, _) in every if place in rows]


def _opened(path: Path) -> Any:
    try:
        import pyarrow.parquet as arrow
    except ImportError:
        raise DataError(
            f"{shown(path)}: reading Parquet needs pyarrow: {to_install('parquet')}"
        ) from None
    with regular_file(path):
        return arrow.ParquetFile(path)


def _columns(names: list[str], wanted: Mapping[str, str]) -> tuple[str, str]:
    """Return the columns of images and labels."""
    found = []
    for key, role in (("image", "x"), ("label", "y")):
        given = wanted.get(key)
        likely = [each for each in names if role_of(each) == role]
        exact = [each for each in likely if each in ("image", "img", "label")]
        if given is not None and given in names:
            found.append(given)
        elif given is None and len(exact or likely) == 1:
            found.append((exact or likely)[0])
        else:
            have = ", ".join(shown(each) for each in names[:8]) + " …" * (len(names) > 8)
            pixels = key == "image" and len(names) > 8
            raise DataError(
                f"expected a column of {key}s, found {have}: name it, as in {{parquet: …, columns: "
                f"{{{key}: COLUMN}}}}{'; a table of pixels is read as CSV' if pixels else ''}"
            )
    return found[0], found[1]


def _class_names(file: Any, label: str) -> list[str] | None:
    """Return the names that Hugging Face's description gives the classes; None without one."""
    text = (file.schema_arrow.metadata or {}).get(b"huggingface")
    try:
        names = json.loads(text)["info"]["features"][label]["names"] if text else None
    except (KeyError, TypeError, ValueError):
        return None
    good = isinstance(names, list) and all(isinstance(each, str) for each in names)
    return names if good else None


def _rows(paths: Sequence[Path], image: str, label: str) -> Iterator[tuple[bytes, Any]]:
    """Yield the encoded image and the label of every row."""
    for path in paths:
        batches = _opened(path).iter_batches(batch_size=256, columns=[image, label])
        rows = (row for batch in batches for row in batch.to_pylist())
        for number, row in enumerate(rows):
            cell = row[image]
            content = cell.get("bytes") if isinstance(cell, dict) else cell
            if not isinstance(content, bytes):
                found = _instead_of_bytes(cell)
                raise _unlike(path, number, "the bytes of an image", image, found)
            if row[label] is None:
                raise _unlike(path, number, "a label", label, "nothing")
            yield content, row[label]


def _instead_of_bytes(cell: Any) -> str:
    if cell is None:
        return "nothing"
    path_only = isinstance(cell, str) or (isinstance(cell, dict) and "path" in cell)
    return "a path" if path_only else "something else"


def _unlike(path: Path, row: int, wanted: str, column: str, found: str) -> DataError:
    return DataError(
        f"{shown(path.name)}: expected {wanted} in every row of {shown(column)}, found {found} in "
        f"row {row:,}"
    )


def _check_names(files: Mapping[str, Sequence[Path]], label: str, names: list[str] | None) -> None:
    """Refuse files whose descriptions give the classes other names, or in another order."""
    for part, path in ((part, path) for part, paths in files.items() for path in paths):
        own = _class_names(_opened(path), label)
        if own != names and own is not None and names is not None:
            first = "first file" if part == "train" else "training part"
            raise DataError(
                f"{shown(path.name)}: expected the class names of the {first} "
                f"({some(names)}), found {some(own)} in the {part} part: store them alike"
            )
