"""Which columns of a table hold pixels, and their order: by their numbers, colours side by side."""

import math
import re
from collections.abc import Sequence

from bakeoff.data.words import column_called

PACKED = ("pixels",)  # what a column is called that holds all pixels of an image in one cell


def is_of_pixels(columns: Sequence[str]) -> bool:
    """Say whether a table seems to hold pixels: many columns, most of them numbered."""
    if column_called(columns, PACKED) is not None:
        return True
    numbered = sum(each[-1:].isdigit() for each in columns)
    return len(columns) > 16 and numbered > 0.8 * len(columns)


def in_order(columns: Sequence[str], pixels: list[int]) -> tuple[list[int], bool]:
    """Return (the indices of pixels' columns by their numbers, whether they stood otherwise).

    Names that were sorted as text are in the order pixel0, pixel1, pixel10 … or 10x1, 10x10, 1x1 …;
    r0 … r63, g0 … g63, b0 … b63 are the colours one after the other, which belong side by side.
    """
    names = [columns[each] for each in pixels]
    numbers = [tuple(map(int, re.findall("[0-9]+", name))) for name in names]
    stems = [re.sub("[0-9]+", "0", name).casefold() for name in names]
    colours = _colours(stems)
    per_pixel = 1 if colours is None else 3
    if colours is None and len({*stems}) != 1:
        return pixels, False
    keys = sorted({*numbers})
    whole = len(keys) * per_pixel == len({*zip(numbers, stems, strict=True)}) == len(pixels)
    one, two = (all(len(each) == length for each in numbers) for length in (1, 2))
    counted = one and keys[-1][0] - keys[0][0] == len(keys) - 1
    grid = two and len(keys) == math.prod(len({each[axis] for each in keys}) for axis in (0, 1))
    if not whole or not (counted or (grid and names == sorted(names))):
        return pixels, False
    places = {
        column: (numbers[i], (colours or {}).get(stems[i])) for i, column in enumerate(pixels)
    }
    ordered = sorted(pixels, key=places.__getitem__)
    return ordered, ordered != pixels


def _colours(stems: Sequence[str]) -> dict[str, int] | None:
    """Return the place of each of three stems that name colours; None where they do not."""
    found = {stem: "rgb".find(stem.strip("0_. -")[:1]) for stem in {*stems}}
    return found if sorted(found.values()) == [0, 1, 2] else None
