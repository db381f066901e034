"""The looks of a race as they were taken: who led, how the others stood, who was dropped.

race/1/race.json, race/2/race.json, … are immutable; a model that one of them drops is out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.storage import formats, written_folder
from bakeoff.storage.study_folder import StudyFolder, numbered

_FILE = "race.json"
RACE = "race"


def look_folders(folder: StudyFolder) -> list[Path]:
    """Return the folders of the looks, the first one first."""
    return numbered(folder.path / RACE)


def read_looks(folder: StudyFolder) -> list[dict[str, Any]]:
    """Return every look's race.json, the first one first.

    Raises StorageError if one was changed or taken out; the ledger knows who was dropped.
    """
    paths = look_folders(folder)
    for number, path in enumerate(paths, 1):
        if int(path.name) != number:
            raise formats.missing(folder.path / RACE / str(number), f"look {path.name} is there")
    looks = [written_folder.read_document(path, _FILE) for path in paths]
    out = dropped(looks)
    for line in folder.read_ledger():
        if line.get("restored"):
            continue
        for name, after in ((line.get("race") or {}).get("dropped") or {}).items():
            if name not in out:
                why = f"the ledger knows that a look dropped {name} after {after} seeds"
                raise formats.missing(folder.path / RACE / str(len(paths) + 1), why)
    return looks


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
