"""A study's data set and split, where they are at hand and still what the study recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.data import DataSet, load
from bakeoff.errors import BakeoffError
from bakeoff.storage import atomic
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder


def recorded_data(
    folder: StudyFolder, data: DataSet | None = None
) -> tuple[DataSet, dict[str, NDArray[np.int64]]] | None:
    """Return a study's data set and the arrays of its split; None where one is not as recorded.

    Nothing is downloaded for this.

    data : what the study was run on; read again from where its recipe says if it is not given
    """
    try:
        study = folder.read_study()
        split = read_split(folder)
        if atomic.hash_file(folder.split_file) != study["split_file"]:
            return None
        data = data or load(recipes.load(folder.recipe_file).data, offline=True)
    except (BakeoffError, OSError):
        return None
    return (data, split) if data.hash == study["data"]["hash"] else None
