"""The looks of a race as they were taken: who led, how the others stood, who was dropped.

race/1/race.json, race/2/race.json, … are immutable; a model that one of them drops is out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.storage import formats, written_folder
from bakeoff.storage.study_folder import StudyFolder

_FILE = "race.json"
RACE = "race"


def look_folders(folder: StudyFolder) -> list[Path]:
    """Return the folders of the looks, the first one first."""
    found = [path for path in folder.path.glob(f"{RACE}/*") if path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name))


def read_looks(folder: StudyFolder) -> list[dict[str, Any]]:
    """Return every look's race.json, the first one first; StorageError if one was changed."""
    return [
        written_folder.read_document(path, _FILE, written_folder.read_manifest(path))
        for path in look_folders(folder)
    ]


def write_look(folder: StudyFolder, document: Mapping[str, Any]) -> None:
    """Write the next look."""
    number = max((int(path.name) for path in look_folders(folder)), default=0) + 1
    target = folder.path / RACE / str(number)
    files = {_FILE: formats.canonical({"look": number, **document})}
    written_folder.write_folder(target, files, scratch=target.with_name(f"{number}.partial"))


def dropped(looks: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the models that are out, each with the look that dropped it."""
    return {each["model"]: look for look in looks for each in look["standings"] if each["dropped"]}


def dropped_models(folder: StudyFolder) -> dict[str, int]:
    """Return the models that are out, each with the number of seeds after which."""
    return {name: int(look["after"]) for name, look in dropped(read_looks(folder)).items()}
