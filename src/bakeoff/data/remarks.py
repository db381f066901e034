"""What is noticed of a data set once it is read: parts and pictures that hardly fit together."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.contradictions import notes_on_contradictions
from bakeoff.data.dataset import DataSet
from bakeoff.data.negatives import notes_on_negatives
from bakeoff.utils.text import counted, shown, some


def with_remarks(data: DataSet) -> DataSet:
    """Return the data set, with notes on what a user should look at before believing it."""
    notes = (*notes_on_negatives(data), *notes_on_contradictions(data), *_notes_on_absent(data))
    return replace(data, notes=data.notes + notes) if notes else data


def _notes_on_absent(data: DataSet) -> tuple[str, ...]:
    """Return notes where a class that is named has no image, or none in a test part."""
    there = _classes_in(data, 0)
    tested = there if data.test_start is None else _classes_in(data, data.test_start)
    names = [shown(each) for each in data.class_names]
    absent = [names[each] for each in np.flatnonzero(~there)]
    untested = [names[each] for each in np.flatnonzero(there & ~tested)]
    of = counted(len(untested), "class", "classes")
    return (
        *([f"no image of the class {some(absent)}"] if absent else []),
        *([f"found no test image of {of}: {some(untested)}"] if untested else []),
    )


def _classes_in(data: DataSet, start: int) -> NDArray[np.bool_]:
    """Return whether each class has an image from this one on; a test part comes last."""
    return np.bincount(data.labels[start:], minlength=len(data.class_names)) > 0
