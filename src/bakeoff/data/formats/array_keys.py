"""Which array of a file is what: the keys people use, or those that a recipe's `keys` names."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from bakeoff.data.in_memory.arrays import Given
from bakeoff.data.sources import ARRAYS
from bakeoff.data.words import role_of, roles
from bakeoff.errors import DataError
from bakeoff.utils.text import listed, shown

_LATER = ("validation", "test")
_EXPECTED = "x and y, or x_train, y_train, x_test and y_test"

Shape = tuple[int, ...]
Naming = Callable[[Mapping[str, str]], str]


def in_recipe(names: Mapping[str, str]) -> str:
    """Return how a recipe names arrays by their roles."""
    return f"{{npz: …, keys: {{{', '.join(f'{role}: {name}' for role, name in names.items())}}}}}"


def in_python(names: Mapping[str, str]) -> str:
    """Return how a mapping names arrays by their roles."""
    return f"{{{', '.join(f'{role!r}: data[{name!r}]' for role, name in names.items())}}}"


def array_keys(
    arrays: Mapping[str, tuple[Shape, bool]],
    stated: Mapping[str, str] | None,
    naming: Naming = in_recipe,
) -> tuple[dict[str, str], list[str]]:
    """Return (the arrays' names by role, in the order of the parts; notes for the user).

    Parameters
    ----------
    arrays : by name, the shape and whether the values are text
    stated : names by role (x, y, x_train …), as the recipe says them; None to recognise them
    naming : how its owner would say which arrays are meant, for messages

    Raises
    ------
    DataError
        If images or labels are missing, or two arrays could be the same.
    """
    if stated is not None:
        return _stated(arrays, stated)
    found = roles(arrays)
    if arrays and not found and set(arrays) <= {f"arr_{number}" for number in range(6)}:
        return _by_position(arrays), []
    found.pop("class_names", None)
    pairs, remark = _pairs(arrays, found, naming)
    keys: dict[str, str] = {}
    for part in pairs:
        for role in (f"x{part}", f"y{part}"):
            keys[role] = _only(role, found[role], naming)
    keys |= _class_names(arrays)
    others = [shown(name) for name in arrays if name not in keys.values()]
    notes = [remark] if remark else []
    if others:
        notes.append(f"ignored the arrays {', '.join(others)}")
    return keys, notes


def given_parts(keys: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Given]:
    """Return the images and labels of every part, of arrays with these names by role."""
    pairs = {
        role[2:] or "train": (keys[role], keys[f"y{role[1:]}"]) for role in keys if role[0] == "x"
    }
    return {part: Given(arrays[x], arrays[y], x, y) for part, (x, y) in pairs.items()}


def _class_names(arrays: Mapping[str, tuple[Shape, bool]]) -> dict[str, str]:
    """Return the one array of text that is called as names of classes are, by its role."""
    texts = [name for name, (_, text) in arrays.items() if text and role_of(name) == "class_names"]
    return {"class_names": texts[0]} if len(texts) == 1 else {}


def _pairs(
    arrays: Mapping[str, tuple[Shape, bool]], found: Mapping[str, Sequence[str]], naming: Naming
) -> tuple[list[str], str]:
    """Return (the parts as "_train", "_test" or "", in order; a note)."""
    images, labels = ({role[1:] for role in found if role[0] == kind} for kind in "xy")
    have = images & labels
    first = "_train" if "_train" in have else ""
    _check_whole(found, have, naming)
    if first not in have:
        seen = ", ".join(f"{shown(name, limit=40)} {shape}" for name, (shape, _) in
                         list(arrays.items())[:8])  # fmt: skip
        raise DataError(
            f"expected the arrays {_EXPECTED}, found {seen or 'none'}: say which they are, as in "
            f"{naming({'x': 'NAME', 'y': 'NAME'})}"
        )
    if "_validation" in have and "_test" not in have:
        x, y = found[f"x{first}"][0], found[f"y{first}"][0]
        v, w = found["x_validation"][0], found["y_validation"][0]
        raise DataError(
            f"expected a test part beside training and validation, found none: to test on {v}, "
            f"write {naming({'x_train': x, 'y_train': y, 'x_test': v, 'y_test': w})}; to have a "
            f"test part drawn from all of {x}, write {naming({'x': x, 'y': y})}"
        )
    remark = ""
    if first == "_train" and "_test" not in have:
        remark = f"found {found['x_train'][0]} without a test part: split.test makes one of it"
    return [first, *(f"_{part}" for part in _LATER if f"_{part}" in have)], remark


def _check_whole(found: Mapping[str, Sequence[str]], have: set[str], naming: Naming) -> None:
    """Refuse images of a part without labels, and labels without images."""
    for role, names in found.items():
        part = role[1:]
        if part and part not in have:
            other = f"{'y' if role[0] == 'x' else 'x'}{part}"
            raise DataError(
                f"expected {other} beside {shown(names[0])}, found none: name those to use, as "
                f"in {naming({'x': 'NAME', 'y': 'NAME'})}"
            )


def _only(role: str, names: Sequence[str], naming: Naming) -> str:
    if len(names) > 1:
        exact = [name for name in names if name == role]
        alike = [name for name in names if "image" in name.lower()]  # beside the same, flat
        if len(exact or alike) == 1:
            return (exact or alike)[0]
        other = f"{'y' if role[0] == 'x' else 'x'}{role[1:]}"
        raise DataError(
            f"expected one array of {role}, found {listed(map(shown, names))}: say which it is, "
            f"as in {naming({role: shown(names[0]), other: 'NAME'})}"
        )
    return names[0]


def _by_position(arrays: Mapping[str, tuple[Shape, bool]]) -> dict[str, str]:
    """Return the roles of arrays saved without names: np.savez(file, x, y), or four or six."""
    shapes = {name: arrays[name][0] for name in sorted(arrays)}
    images = [name for name, shape in shapes.items() if len(shape) > 2]
    if not images:  # rows of pixels, which are wider than labels
        widths = {name: math.prod(shape[1:]) for name, shape in shapes.items()}
        images = [name for name, width in widths.items() if width > min(widths.values())]
    labels = [name for name in shapes if name not in images]
    alike = [shapes[x][:1] == shapes[y][:1] for x, y in zip(images, labels, strict=False)]
    if len(images) != len(labels) or len(images) not in (1, 2, 3) or not all(alike):
        seen = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise DataError(
            f"expected images and as many labels, found {seen}: put both into one file, as in "
            f"np.savez(file, x=images, y=labels)"
        )
    parts = {1: ("",), 2: ("_train", "_test"), 3: ("_train", "_validation", "_test")}[len(images)]
    return {
        f"{kind}{part}": name
        for part, *both in zip(parts, images, labels, strict=True)
        for kind, name in zip("xy", both, strict=True)
    }


def _stated(
    arrays: Mapping[str, tuple[Shape, bool]], stated: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    missing = next((name for name in stated.values() if name not in arrays), None)
    if missing is not None:
        have = ", ".join(shown(name, limit=40) for name in list(arrays)[:8])
        raise DataError(f"keys: expected names of arrays ({have}), found {shown(missing)!r}")
    keys = {role: stated[role] for role in ARRAYS if role in stated}
    for role, name in keys.items():
        other = next(each for each in keys if keys[each] == name)
        if other != role:
            raise DataError(
                f"keys: expected different arrays for {other} and {role}, found {shown(name)!r} "
                "for both"
            )
    first = "_train" if "x_train" in keys else ""
    wanted = {f"x{first}", f"y{first}"}
    for part in _LATER:
        if keys.keys() & {f"x_{part}", f"y_{part}"}:
            wanted |= {f"x_{part}", f"y_{part}"}
    if keys.keys() - {"class_names"} != wanted:
        raise DataError(
            f"keys: expected {_EXPECTED}, found {listed(keys)}: name images and labels of every "
            "part"
        )
    keys = {**_class_names(arrays), **keys}
    ordered = [f"{kind}{part}" for part in (first, "_validation", "_test") for kind in "xy"]
    return {role: keys[role] for role in (*ordered, "class_names") if role in keys}, []
