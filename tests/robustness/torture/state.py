"""What a study's folder holds: what is finished, whether it is whole, whether two are identical."""

import hashlib
import json
from pathlib import Path
from typing import Any

from bakeoff import recipe as recipes
from bakeoff.errors import BakeoffError
from bakeoff.storage import formats, written_folder
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder

Finished = dict[str, list[Any]]
_CLOCKS = ("created", "environment", "time", "before", "sha256")
_RECORD = ("trials", "baselines", "openings")
_FILES = ("recipe.yaml", "study.json", "split.npz", "ledger.jsonl")


def finished(study: Path) -> Finished:
    """Return inode, change times and content hashes of every finished folder, by name.

    A folder counts as soon as it has its final name, whatever is in it.
    """
    found = {}
    for pattern in ("trials/*/seed-*", "baselines/*", "openings/*"):
        for folder in sorted(study.glob(pattern)):
            if folder.is_dir() and not folder.name.endswith(".partial"):
                found[str(folder.relative_to(study))] = _print_of(folder)
    return found


def _print_of(folder: Path) -> list[Any]:
    marks: list[Any] = [folder.stat().st_ino]
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        marks.append([str(path.relative_to(folder)), status.st_ino, status.st_mtime_ns, content])
    return marks


def broken(study: Path) -> list[str]:
    """Return a sentence for everything in a study that has its final name and is not whole."""
    problems = []
    for name in finished(study):
        if not (study / name / written_folder.MANIFEST).is_file():
            problems.append(f"{name}: no manifest")
        problems += written_folder.check_folder(study / name)
    folder = StudyFolder(study)
    try:
        if folder.exists():
            folder.read_study()
        if folder.split_file.exists():
            read_split(folder)
        if folder.recipe_file.exists():
            recipes.load(folder.recipe_file)
        folder.read_ledger()
        if folder.comparison_file.exists():
            json.loads(folder.comparison_file.read_bytes())
        if folder.report_file.exists() and b"</html>" not in folder.report_file.read_bytes():
            problems.append("report.html: cut")
    except (BakeoffError, ValueError) as error:
        problems.append(str(error))
    return problems


def leftovers(study: Path) -> list[str]:
    """Return what should not be in the folder of a study that is complete."""
    names = [str(path.relative_to(study)) for path in study.rglob("*")]
    return sorted(
        name
        for name in names
        if ".partial" in name or name.endswith((".tmp", ".d")) or ".d/" in name
    )


def content(study: Path) -> dict[str, str]:
    """Return what must be identical in two runs: SHA-256 by name, clocks left out."""
    found = {}
    for path in sorted(study.rglob("*")):
        name = str(path.relative_to(study))
        if (
            path.is_file()
            and path.name not in written_folder.APART
            and (name.split("/")[0] in _RECORD or name in _FILES)
        ):
            found[name] = hashlib.sha256(_without_clocks(path)).hexdigest()
    return found


def _without_clocks(path: Path) -> bytes:
    text = path.read_bytes()
    if path.name == "study.json":
        return formats.canonical(_plain(json.loads(text)))
    if path.name == "ledger.jsonl":
        return formats.canonical([_plain(json.loads(line)) for line in text.splitlines()])
    return text


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _CLOCKS}


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return the names that are not the same in both."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
