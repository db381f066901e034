"""Finished trials whose weights were deleted since: which they are, and what to do.

Comparing needs predictions alone and goes on without weights; predicting and exporting do not.
"""

from collections.abc import Sequence

from bakeoff.storage import written_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.utils.text import shown, some
from bakeoff.utils.user_paths import from_here

Trial = tuple[str, int]  # model, seed


def without_weights(folder: StudyFolder) -> tuple[Trial, ...]:
    """Return the finished trials that have no weights, or lack those of a fold."""
    n_folds = folder.read_study()["data"].get("folds")
    parts = ("",) if n_folds is None else tuple(f"fold-{fold}" for fold in range(n_folds))
    return tuple(
        (name, seed)
        for name, seeds in folder.finished().items()
        for seed in seeds
        if not all(
            (folder.trial(name, seed) / part / written_folder.WEIGHTS).exists() for part in parts
        )
    )


def labels(lost: Sequence[Trial]) -> list[str]:
    """Return what the trials are called in messages: "cnn seed 3"."""
    return [f"{model} seed {seed}" for model, seed in lost]


def advice(folder: StudyFolder, lost: Sequence[Trial]) -> str:
    """Say whose weights are gone, and what to do; "" where none are."""
    if not lost:
        return ""
    places = [shown(from_here(folder.trial(*each))) for each in lost]
    those = "that folder" if len(lost) == 1 else "those folders"
    return (
        f"The weights are gone of {some(labels(lost))}: restore what was in {some(places)}, or "
        f"remove {those} and run the recipe again, which trains anew."
    )
