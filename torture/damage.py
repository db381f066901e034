"""Files changed behind Bakeoff's back: every kind of file, every kind of damage, every command.

`verify` must find a single changed byte in any file that is not derived. Every other command must
give what it gives without the damage, or end with one line that names the file.
"""

import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.store import StudyFolder
from bakeoff.verify import DERIVED, verify
from torture import state
from torture.crash import SMALL, Reference
from torture.faults import Plan
from torture.parallel import shared
from torture.sandbox import Sandbox
from torture.say import figures

EXHAUSTIVE = 400  # bytes of a file of which each is changed; of larger ones as many are drawn
DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "flipped": lambda content: _flipped(content, len(content) // 2, 1),
    "cut": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "longer": lambda content: content + b"\0",
    "zeroed": lambda content: bytes(len(content)),
    "gone": lambda content: None,
}


def _flipped(content: bytes, place: int, change: int) -> bytes:
    return content[:place] + bytes([content[place] ^ change]) + content[place + 1 :]


def record(study: Path) -> list[Path]:
    """Return the files of a study that are not derived."""
    files = [path for path in sorted(study.rglob("*")) if path.is_file()]
    return [
        path
        for path in files
        if path.relative_to(study).parts[0] not in (*DERIVED, ".locks", ".scratch")
    ]


# ── verify ───────────────────────────────────────────────────────────────────────────────────


def found_by_verify(file: Path, study: Path, seed: int) -> dict[str, Any]:
    """Change a file in many ways, one byte at a time and whole, and ask `verify` each time."""
    chance = random.Random(f"{seed} {file.name}")
    content = file.read_bytes()
    places: Sequence[int] = range(len(content))
    if len(content) > EXHAUSTIVE:
        places = chance.sample(places, EXHAUSTIVE)
    changed = [_flipped(content, place, chance.randrange(1, 256)) for place in places]
    missed, unnamed = [], []
    damaged = [("one byte", each) for each in changed]
    damaged += [(name, damage(content)) for name, damage in DAMAGES.items()]
    for name, each in damaged:
        if each == content:
            continue
        file.unlink() if each is None else file.write_bytes(each)
        try:
            said = verify(StudyFolder(study)).differences
        except BakeoffError as error:
            said = (str(error),)
        if not said:
            missed.append(name)
        elif not any(str(file) in line or f"no {file.name} in it" in line for line in said):
            unnamed.append(f"{name}: {said[0]}")
        file.write_bytes(content)
    return {
        "file": str(file.relative_to(study)),
        "bytes": len(changed),
        "damages": len(damaged),
        "missed": missed,
        "unnamed": unnamed,
    }


# ── the other commands ───────────────────────────────────────────────────────────────────────


def kinds(study: Path) -> list[str]:
    """Return one file of every kind, derived ones too, as paths in the study."""
    seen: dict[str, str] = {}
    for path in sorted(study.rglob("*")):
        parts = path.relative_to(study).parts
        if path.is_file() and parts[0] not in (".locks", ".scratch"):
            room = parts[0] if len(parts) > 1 else ""
            name = "predictions" if path.name.startswith("seed-") else path.name
            seen.setdefault(f"{room} {name}", "/".join(parts))
    return sorted(seen.values())


def commands(study: Path, recipe: Path) -> dict[str, list[str]]:
    """Return the commands that read a study."""
    place = str(study)
    return {
        "status": ["status", place],
        "compare": ["compare", place],
        "report": ["report", place],
        "run": ["run", str(recipe), "--out", place],
        "run more": ["run", str(recipe), "--out", place, "--seeds", "2"],
    }


def use(item: tuple[str, str, str], box: Sandbox, whole: Path, sealed: bool) -> dict[str, Any]:
    """Damage one file and give one command."""
    name, damage, command = item
    box.prepare()
    shutil.copytree(whole, box.study)
    file = box.study / name
    content = DAMAGES[damage](file.read_bytes())
    file.unlink() if content is None else file.write_bytes(content)
    plan = Plan(str(box.root), str(box.notes), plain=True)
    done = box.do(commands(box.study, box.recipe_file)[command], plan=plan)
    lines = [line for line in done.errors.splitlines() if line.startswith("bakeoff: ")]
    problems = []
    if done.code not in (0, 1, 2) or "Traceback" in done.errors or "unexpected" in done.errors:
        problems.append(f"ended with {done.code}: {done.errors[-500:]}")
    elif done.code and (len(lines) != 1 or not _names(lines[0], name)):
        problems.append(f"named another file: {done.last_line}")
    elif not done.code and command.startswith("run"):
        lasting = state.broken(box.study)
        if command == "run" and lasting and _used(name, sealed):
            problems.append(f"used it: {lasting[0]}")
    return {"item": item, "sealed": sealed, "code": done.code, "problems": problems}


def _names(line: str, name: str) -> bool:
    """Say whether a message names the file, or the folder that it makes incomplete."""
    return name in line or name.rpartition("/")[0] + "/" in line or name.split("/")[0] in line


def _used(name: str, sealed: bool) -> bool:
    return sealed and name.startswith(("trials/", "baselines/")) and "weights" in name


def torture(
    folder: Path, cache: Path, known: Reference, *, number: int, seed: int, jobs: int
) -> bool:
    """Do all of it and print the figures; say whether nothing went wrong."""
    wholes = {}
    for sealed, more in ((False, []), (True, ["--keep-sealed"])):
        box = Sandbox(folder / f"whole-{sealed}", cache, SMALL).prepare()
        done = box.do([*box.run, *more])
        if done.code:
            raise RuntimeError(f"the study could not be made: {done.errors}")
        wholes[sealed] = box.study
    started = time.monotonic()
    study = wholes[False]
    names = [str(path.relative_to(study)) for path in record(study)]

    def one(job: int, name: str) -> dict[str, Any]:
        own = folder / f"job-{job}" / "study"
        if not own.exists():
            shutil.copytree(study, own)
        return found_by_verify(own / name, own, seed)

    results = shared(one, names, jobs=jobs, folder=folder)
    for job in range(jobs):
        shutil.rmtree(folder / f"job-{job}", ignore_errors=True)
    good = figures(
        "verify",
        {
            "files that are not derived": len(results),
            "single bytes changed": sum(each["bytes"] for each in results),
            "changes of all kinds": sum(each["damages"] for each in results),
            "not found": sum(len(each["missed"]) for each in results),
            "found, and the file not named": sum(len(each["unnamed"]) for each in results),
        },
        [each for each in results if each["missed"] or each["unnamed"]],
        time.monotonic() - started,
    )
    started = time.monotonic()
    items = [
        (sealed, (name, damage, command))
        for sealed, whole in wholes.items()
        for name in kinds(whole)
        for damage in DAMAGES
        for command in commands(study, study)
        if not sealed or command == "run"
    ]
    chosen = items if number >= len(items) else random.Random(seed).sample(items, number)

    def two(job: int, item: tuple[bool, tuple[str, str, str]]) -> dict[str, Any]:
        sealed, what = item
        return use(what, Sandbox(folder / f"job-{job}", cache, SMALL), wholes[sealed], sealed)

    used = shared(two, chosen, jobs=jobs, folder=folder)
    rows: dict[str, Any] = {
        "kinds of files": len(kinds(wholes[False])),
        "damaged files given to commands": len(used),
        "refused in one line": sum(bool(each["code"]) for each in used),
        "not needed, or written again": sum(not each["code"] for each in used),
    }
    problems = [each for each in used if each["problems"]]
    return figures("damaged files", rows, problems, time.monotonic() - started) and good
