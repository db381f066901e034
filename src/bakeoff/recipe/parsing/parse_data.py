"""Reading a recipe's `data`: a name, or where the files are and how to read them."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.data.sources import (
    ARRAYS,
    COLORS,
    FITS,
    NAMES,
    PARTS,
    ArraysSource,
    CsvSource,
    FolderSource,
    IdxSource,
    NpzSource,
    ParquetSource,
    Source,
    TableSource,
)
from bakeoff.recipe.parsing.problems import Problems, is_text, known_keys, read_path
from bakeoff.recipe.suggestions import did_you_mean, nearest
from bakeoff.recipe.value_kinds import (
    Choice,
    Flag,
    Kind,
    Misfit,
    Number,
    Pair,
    Whole,
    as_whole,
    found,
    inside,
    key_text,
)

SIZE = Pair(1, 1024)
COLOR = Choice(COLORS, "a color")
FIT = Choice(FITS, "a fit")
SCALE = Number(0, 1e9, above=True)
TRANSPOSE = Flag()
SIDE = Whole(1, 4096)
HASH = re.compile(r"[0-9a-f]{64}")
KINDS: dict[str, type[Any]] = {
    "folder": FolderSource,
    "table": TableSource,
    "npz": NpzSource,
    "csv": CsvSource,
    "idx": IdxSource,
    "parquet": ParquetSource,
    "arrays": ArraysSource,
}
_WHAT = {
    "folder": "a folder",
    "table": "a table (CSV)",
    "npz": "an npz file",
    "csv": "a table of pixels (CSV)",
    "parquet": "a Parquet file or folder",
    "images": "a folder",
    "test": "a table of pixels (CSV)",
}
PATHS = (*_WHAT, "idx")  # keys that hold paths, or lists of them
PICTURE_KEYS: dict[str, Kind] = {"size": SIZE, "color": COLOR, "fit": FIT, "scale": SCALE}
KEYS_BESIDE: dict[str, tuple[str, ...]] = {  # keys beside the kind's own
    "folder": (*PICTURE_KEYS, "parts"),
    "table": (*PICTURE_KEYS, "images", "columns"),
    "npz": ("keys", "scale"),
    "csv": ("test", "label", "shape", "scale", "transpose"),
    "idx": ("scale", "transpose"),
    "parquet": (*PICTURE_KEYS, "columns"),
    "arrays": (),
}
NAMES_IN: dict[tuple[str, str], tuple[str, ...]] = {  # what may be named in a mapping of names
    ("folder", "parts"): PARTS,
    ("npz", "keys"): ARRAYS,
    ("table", "columns"): ("file", "label", "part"),
    ("parquet", "columns"): ("image", "label"),
}
FORMS = f"{', '.join(NAMES)}, or one of " + ", ".join(
    f"{{{kind}: {'[IMAGES, LABELS]' if kind == 'idx' else 'PATH'}}}"
    for kind in KINDS
    if kind != "arrays"
)


def read_data(raw: object, folder: Path, problems: Problems) -> Source:
    """Read a data set's name, or a mapping that says where it is; paths are absolute then."""
    if isinstance(raw, str):
        if raw in NAMES:
            return raw
        raise Misfit(f"expected {FORMS}, found {found(raw)}; {_hint(raw)}")
    kinds = [kind for kind in KINDS if isinstance(raw, Mapping) and kind in raw]
    if len(kinds) != 1 or not isinstance(raw, Mapping):
        raise Misfit(f"expected {FORMS}, found {found(raw)}{_unknown(raw)}")
    kind = kinds[0]
    known_keys(raw, (kind, *KEYS_BESIDE[kind]), "data", problems)
    values = {
        key: inside(f".{key}", lambda key=key: _value(kind, key, raw[key], folder))
        for key in (kind, *KEYS_BESIDE[kind])
        if raw.get(key) is not None or key == kind
    }
    source: Source = KINDS[kind](**values)
    return source


def _unknown(raw: object) -> str:
    """Name the keys of a mapping that is no kind of data."""
    if not isinstance(raw, Mapping) or not raw:
        return ""
    close = next((near for key in raw if (near := nearest(key, KINDS))), None)
    meant = f"; did you mean {close}?" if close and not set(raw) & set(KINDS) else ""
    return f" with the keys {', '.join(key_text(key) for key in list(raw)[:5])}{meant}"


def _value(kind: str, key: str, raw: object, folder: Path) -> Any:
    if key in _WHAT:
        return read_path(raw, folder, _WHAT[key])
    if key == "transpose":
        return TRANSPOSE.read(raw)
    if key in PICTURE_KEYS:
        return PICTURE_KEYS[key].read(raw)
    if (kind, key) in NAMES_IN:
        return _names(raw, NAMES_IN[kind, key])
    if key == "idx":
        if not isinstance(raw, list | tuple) or len(raw) not in (2, 4):
            raise Misfit(
                f"expected [images, labels] or [images, labels, test images, test labels], found "
                f"{found(raw)}"
            )
        return tuple(
            inside(f"[{number}]", lambda each=each: read_path(each, folder, "an IDX file"))
            for number, each in enumerate(raw, 1)
        )
    if key == "shape":
        return _shape(raw)
    if key == "arrays":
        if not isinstance(raw, str) or not HASH.fullmatch(raw):
            raise Misfit(f"expected the hash of arrays given in Python, found {found(raw)}")
        return raw
    return _name(raw, "a column")


def _names(raw: object, known: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(raw, Mapping) or not raw:
        raise Misfit(f"expected names for some of {', '.join(known)}, found {found(raw)}")
    for key in raw:
        if key not in known:
            raise Misfit(f"unknown key; {did_you_mean(key, known)}", inside=f".{key_text(key)}")
    return {
        key: inside(f".{key}", lambda key=key: _name(raw[key], "a name"))
        for key in known
        if key in raw
    }


def _name(raw: object, what: str) -> str:
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or not 0 < len(text) <= 1000 or not is_text(text):
        raise Misfit(f"expected {what}, found {found(raw)}")
    return text


def _shape(raw: object) -> tuple[int, ...]:
    sides = [as_whole(each) for each in raw] if isinstance(raw, list | tuple) else []
    good = [side for side in sides if side is not None and 1 <= side <= SIDE.high]
    if len(good) != len(sides) or not (len(good) == 2 or (len(good) == 3 and good[2] in (1, 3))):
        raise Misfit(f"expected [height, width] or [height, width, 1 or 3], found {found(raw)}")
    return tuple(good)


def _hint(raw: str) -> str:
    ending = Path(raw).suffix.lower()
    kinds = {".npz": "npz", ".csv": "csv", ".parquet": "parquet"}
    if len(raw) < 200 and ending in kinds:
        return f"did you mean {{{kinds[ending]}: {raw}}}?"
    if "/" in raw or os.sep in raw or raw.startswith("."):
        return f"did you mean {{folder: {raw}}}?" if len(raw) < 200 else "name the folder"
    return did_you_mean(raw, NAMES)
