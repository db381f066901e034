"""Files changed behind Bakeoff's back: every kind of file, every kind of damage, every command.

`verify` must find a single changed byte in any file that is not derived. Every other command must
give what it gives without the damage, or end with one line that names the file and says what to do.
A damaged checkpoint must give way to the one before it.
"""

import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.written_folder import APART
from bakeoff.study.verify import DERIVED, verify
from tests.robustness.torture import faults, state
from tests.robustness.torture.crash import SMALL, Reference
from tests.robustness.torture.faults import Plan
from tests.robustness.torture.parallel import shared
from tests.robustness.torture.sandbox import Outcome, Sandbox
from tests.robustness.torture.say import figures

EXHAUSTIVE = 400  # bytes of a file of which each is changed; of larger ones as many are drawn
WEIGHTS = "weights.safetensors"
CHECKPOINTS = "study/trials/long/seed-0.partial/checkpoint-*"
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


def kinds(root: Path) -> list[str]:
    """Return one file of every kind, derived ones and the user's ledger too, as paths in `root`."""
    seen: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not {".locks", ".scratch"} & set(parts) and path.suffix != ".lock":
            name = "predictions" if path.name.startswith("seed-") else path.name
            seen.setdefault(f"{parts[:2] if len(parts) > 2 else ''} {name}", "/".join(parts))
    return sorted(seen.values())


def commands(box: Sandbox) -> dict[str, list[str]]:
    """Return the commands that read a study."""
    place = str(box.study)
    return {
        "status": ["status", place],
        "compare": ["compare", place],
        "report": ["report", place],
        "run": box.run,
        "run more": [*box.run, "--seeds", "3"],
    }


@dataclass(frozen=True)
class Whole:
    """A study that is not damaged: its sandbox's root, and what commands say of it."""

    root: Path
    sealed: bool
    said: dict[str, str]

    def laid_out(self, box: Sandbox) -> None:
        """Copy it into a sandbox."""
        box.prepare()
        shutil.rmtree(box.root)
        shutil.copytree(self.root, box.root)


def whole(folder: Path, cache: Path, *, sealed: bool) -> Whole:
    """Make a study, and give every command to a copy of it."""
    box = Sandbox(folder / f"whole-{sealed}", cache, SMALL).prepare()
    done = box.do([*box.run, *(["--keep-sealed"] if sealed else [])])
    if done.code:
        raise RuntimeError(f"the study could not be made: {done.errors}")
    found = Whole(box.root, sealed, {})
    copy = Sandbox(folder / "copy", cache, SMALL)
    for name in commands(box):
        if not sealed or name == "run":
            found.laid_out(copy)
            found.said[name] = _outcome(name, copy)[1]
    copy.remove()
    return found


def _outcome(command: str, box: Sandbox) -> tuple[Outcome, str]:
    """Give one command; return how it ended and what came of it."""
    plan = Plan(str(box.root), str(box.notes), plain=True)
    done = box.do(commands(box)[command], plan=plan)
    derived = box.study / "comparison.json"
    came = derived.read_text() if command == "report" and not done.code else done.output
    return done, came.replace(str(box.root), "")


def use(item: tuple[str, str, str], box: Sandbox, whole: Whole) -> dict[str, Any]:
    """Damage one file and give one command."""
    name, damage, command = item
    whole.laid_out(box)
    file = box.root / name
    content = DAMAGES[damage](file.read_bytes())
    file.unlink() if content is None else file.write_bytes(content)
    done, came = _outcome(command, box)
    lines = [line for line in done.errors.splitlines() if line.startswith("bakeoff: ")]
    problems = []
    if done.code not in (0, 1, 2) or "Traceback" in done.errors or "unexpected" in done.errors:
        problems.append(f"ended with {done.code}: {done.errors[-500:]}")
    elif done.code and (len(lines) != 1 or not _names(lines[0], file) or not _advises(lines[0])):
        problems.append(f"expected one line that names the file and what to do: {done.errors}")
    elif not done.code and came != whole.said[command] and not _may_differ(name, damage):
        problems.append(f"came to something else: {came[-500:]}")
    elif not done.code and command == "run" and whole.sealed and file.name == WEIGHTS:
        problems += [f"used it: {each}" for each in state.broken(box.study)]
    return {"item": item, "sealed": whole.sealed, "code": done.code, "problems": problems}


def _names(line: str, file: Path) -> bool:
    """Say whether a message names the file, or its folder, which is no longer whole."""
    return str(file) in line or str(file.parent) in line


def _advises(line: str) -> bool:
    """Say whether a message says what to do."""
    return any(word in line for word in ("restore", "delete", "run ", "move", "name the", "choose"))


def _may_differ(name: str, damage: str) -> bool:
    """Say whether a command may say other things: without a clock, or that something is missing.

    Of other openings of the test set nobody knows, when the user's ledger is damaged; that is said.
    """
    return Path(name).name in APART or damage == "gone" or name.startswith("home/")


# ── checkpoints ──────────────────────────────────────────────────────────────────────────────


def interrupted(folder: Path, cache: Path, known: Reference) -> Path:
    """Return the root of a study that was killed when a trial had two checkpoints, of four."""
    box = Sandbox(folder / "interrupted", cache, SMALL).prepare()
    at = next(k for k, each in enumerate(known.changes, 1) if each.endswith(".partial/finished"))
    plan = Plan(str(box.root), str(box.notes), act="kill all", at=at, checkpoint_seconds=0)
    box.do([*box.run, "--workers", "1"], plan=plan)
    if len(list(box.root.glob(CHECKPOINTS))) != 2:
        raise RuntimeError("expected two checkpoints")
    return box.root


def go_on(item: tuple[str, str], box: Sandbox, begun: Path, known: Reference) -> dict[str, Any]:
    """Damage checkpoints and give the command again: the one before is gone on from."""
    which, damage = item
    box.prepare()
    shutil.rmtree(box.root)
    shutil.copytree(begun, box.root)
    files = sorted(box.root.glob(CHECKPOINTS))
    for file in {"newest": files[1:], "older": files[:1], "both": files}[which]:
        content = DAMAGES[damage](file.read_bytes())
        file.unlink() if content is None else file.write_bytes(content)
    plan = Plan(str(box.root), str(box.notes), checkpoint_seconds=0, plain=True)
    done = box.do([*box.run, "--workers", "1"], plan=plan)
    problems = [f"ended with {done.code}: {done.last_line}"] if done.code else []
    problems += state.broken(box.study) + state.leftovers(box.study)
    problems += state.differences(state.content(box.study), known.content)
    epochs = sum(name == "long seed 0" for name, _ in faults.epochs(box.notes))
    if epochs != {"newest": 2, "older": 1, "both": 4}[which]:
        problems.append(f"{epochs} of 4 epochs were trained again")
    return {"item": item, "problems": problems}


# ── all ──────────────────────────────────────────────────────────────────────────────────────


def torture(
    folder: Path, cache: Path, known: Reference, *, number: int | None, seed: int, **sharing: Any
) -> bool:
    """Do all of it and print the figures; say whether nothing went wrong."""
    wholes = {sealed: whole(folder, cache, sealed=sealed) for sealed in (False, True)}
    good = _verified(folder, wholes[False].root / "study", seed, **sharing)
    started = time.monotonic()
    items = [
        (each.sealed, (name, damage, command))
        for each in wholes.values()
        for name in kinds(each.root)
        for damage in DAMAGES
        for command in each.said
    ]
    if number is not None:
        items = random.Random(seed).sample(items, min(number, len(items)))

    def two(job: int, item: tuple[bool, tuple[str, str, str]]) -> dict[str, Any]:
        return use(item[1], Sandbox(folder / f"job-{job}", cache, SMALL), wholes[item[0]])

    used = shared(two, items, folder=folder, **sharing)
    rows: dict[str, Any] = {
        "kinds of files": len(kinds(wholes[False].root)),
        "damaged files given to commands": len(used),
        "refused in one line": sum(bool(each["code"]) for each in used),
        "not needed, or written again": sum(not each["code"] for each in used),
    }
    problems = [each for each in used if each["problems"]]
    good = figures("damaged files", rows, problems, time.monotonic() - started) and good
    started = time.monotonic()
    begun = interrupted(folder, cache, known)

    def three(job: int, item: tuple[str, str]) -> dict[str, Any]:
        return go_on(item, Sandbox(folder / f"job-{job}", cache, SMALL), begun, known)

    cases = [(which, damage) for which in ("newest", "older", "both") for damage in DAMAGES]
    gone_on = shared(three, cases, folder=folder, **sharing)
    problems = [each for each in gone_on if each["problems"]]
    rows = {"studies gone on with": len(gone_on)}
    return figures("damaged checkpoints", rows, problems, time.monotonic() - started) and good


def _verified(folder: Path, study: Path, seed: int, **sharing: Any) -> bool:
    """Damage every file of the record and ask `verify`."""
    started = time.monotonic()
    names = [str(path.relative_to(study)) for path in record(study)]

    def one(job: int, name: str) -> dict[str, Any]:
        own = folder / f"verify-{job}" / "study"
        if not own.exists():
            shutil.copytree(study, own)
        return found_by_verify(own / name, own, seed)

    results = shared(one, names, folder=folder, **sharing)
    for place in folder.glob("verify-*"):
        shutil.rmtree(place)
    return figures(
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
