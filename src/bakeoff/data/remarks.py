"""What is noticed of a data set once it is read: parts and pictures that hardly fit together."""

from dataclasses import replace

from bakeoff.data.contradictions import notes_on_contradictions
from bakeoff.data.dataset import DataSet
from bakeoff.data.negatives import notes_on_negatives


def with_remarks(data: DataSet) -> DataSet:
    """Return the data set, with notes on what a user should look at before believing it."""
    found = (*notes_on_negatives(data), *notes_on_contradictions(data))
    return replace(data, notes=data.notes + found) if found else data
