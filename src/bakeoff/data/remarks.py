"""What is noticed of a data set once it is read: parts and pictures that hardly fit together."""

from dataclasses import replace

import numpy as np

from bakeoff.data.contradictions import notes_on_contradictions
from bakeoff.data.dataset import DataSet
from bakeoff.data.negatives import notes_on_negatives
from bakeoff.utils.text import shown, some


def with_remarks(data: DataSet) -> DataSet:
    """Return the data set, with notes on what a user should look at before believing it."""
    notes = (*notes_on_negatives(data), *notes_on_contradictions(data), *_notes_on_absent(data))
    return replace(data, notes=data.notes + notes) if notes else data


def _notes_on_absent(data: DataSet) -> tuple[str, ...]:
    """Return a note where a class that is named has no image."""
    counts = np.bincount(data.labels, minlength=len(data.class_names)).tolist()
    absent = [shown(n) for n, count in zip(data.class_names, counts, strict=True) if not count]
    return (f"no image of the class {some(absent)}",) if absent else ()
