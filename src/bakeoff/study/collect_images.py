"""Pictures for a comparison, taken from the data where it is at hand and is what was recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis import notable_images
from bakeoff.analysis.comparison import Comparison
from bakeoff.data import DataSet
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.recorded_data import recorded_data


def illustrated(
    comparison: Comparison, folder: StudyFolder, data: DataSet | None = None
) -> Comparison:
    """Return the comparison with pictures of all images that its report shows.

    The comparison itself where it has them, or where the data cannot be had: it is never
    downloaded for this, and used only with the hash that the study recorded.

    Parameters
    ----------
    folder : of the (first) study
    data : what the study was run on; read again from where its recipe says if it is not given
    """
    if not notable_images.lacking(comparison):
        return comparison
    recorded = recorded_data(folder, data)
    if recorded is None:
        return comparison
    data, split = recorded
    training = split["train"]
    chosen = training[notable_images.choose_samples(data.labels[training], data.n_classes)]
    pictures = notable_images.collect(
        comparison,
        data.images[split["test"]],
        data.maximum,
        (data.images[chosen], data.labels[chosen]),
        names=_names(data, split["test"]),
        sample_names=_names(data, chosen),
    )
    return replace(comparison, pictures=pictures)


def _names(data: DataSet, rows: NDArray[np.int64]) -> list[str]:
    """Return the files of some images as "class/file"; none where they came from no files."""
    return [] if data.files is None else [data.files[row] for row in rows.tolist()]
