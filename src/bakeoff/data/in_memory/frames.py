"""What the columns of frames say: the order of pixels given as x, the classes of one-hot rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bakeoff.data.formats.csv_columns import Head
from bakeoff.data.formats.csv_pixels import in_order
from bakeoff.data.in_memory.arrays import Given
from bakeoff.errors import DataError
from bakeoff.utils.text import shown, some


def columns_of(value: Any) -> list[str]:
    """Return the names of a frame's columns; none for anything else."""
    if not hasattr(value, "columns") or not hasattr(value, "iloc"):
        return []
    return [str(each) for each in value.columns]


def pixels_in_order(
    parts: Mapping[str, Given], columns: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Given], tuple[str, ...]]:
    """Return the parts with pixels in the order of their columns' numbers, and notes.

    columns : those of the arrays that were frames, by the arrays' names
    """
    ordered, notes = dict(parts), []
    for part, given in parts.items():
        names = columns.get(given.images_name, ())
        if given.images.ndim != 2 or given.images.shape[1] != len(names):
            continue
        places = list(range(len(names)))
        order, moved = in_order(Head(",", tuple(names), named=True, skip=0), places)
        if moved:
            ordered[part] = replace(given, images=given.images[:, order])
            notes.append(f"{given.images_name}: pixels in the order of their columns' numbers")
    return ordered, tuple(notes)


def one_hot_names(
    parts: Mapping[str, Given], columns: Mapping[str, Sequence[str]]
) -> list[str] | None:
    """Return the columns of frames of one-hot labels; None where labels are no such frames.

    Raises DataError where the columns of a part are others, or in another order.
    """
    found = {
        each.labels_name: list(columns.get(each.labels_name, ()))
        for each in parts.values()
        if each.labels.ndim == 2 and each.labels.shape[1] > 1
    }
    if len(found) < len(parts) or not all(found.values()):
        return None
    first = next(iter(found))
    for name, names in found.items():
        if names != found[first]:
            raise DataError(
                f"{name}: expected the columns of {first} ({some([shown(e) for e in found[first]])}"
                f"), found {some([shown(e) for e in names])}: give both the same, in one order, as "
                f"in {name}.reindex(columns={first}.columns, fill_value=0)"
            )
    return found[first]
