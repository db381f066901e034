"""Compares finished studies: nothing of what training them takes is imported."""

from collections.abc import Sequence
from pathlib import Path

from bakeoff.analysis.compare import compare as compare_folders
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study import arguments
from bakeoff.study.executors.interface import Lost
from bakeoff.study.result import Result
from bakeoff.utils.machine import allow_open_files


def compare(folders: Sequence[StudyFolder | str | Path], *, lost: Sequence[Lost] = ()) -> Result:
    """Compare finished studies from what is on disk; several if they share one test set."""
    places = [
        f if isinstance(f, StudyFolder) else StudyFolder(arguments.a_path(f, "compare"))
        for f in folders
    ]
    for place in places:
        place.require()
    allow_open_files()
    return Result(places[0], compare_folders(places), tuple(lost))
