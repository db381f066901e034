"""Disks that are full, read-only, forbidden or broken; workers without memory; clocks that jump.

A command must end with one line that names the file and what to do, and with exit code 1; once the
fault is gone the same command must finish with the result of a run that was not disturbed.
"""

import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.robustness.torture import state
from tests.robustness.torture.crash import RECIPE, Reference
from tests.robustness.torture.faults import Plan, changes, clear
from tests.robustness.torture.parallel import shared
from tests.robustness.torture.sandbox import Outcome, Sandbox
from tests.robustness.torture.say import figures

NOBODY = 65534
ADVICE = {
    "ENOSPC": "no space left on device: free some space",
    "EIO": "input/output error: check the disk",
    "EROFS": "read-only file system: choose another place for it",
    "EACCES": "permission denied: choose another place for it",
}
WRITING = "open write fsync mkdir rename replace"
READING = ("status", "compare", "report", "verify", "run")
SPARED = r"/timing\.json$|/pictures\.npz$|^home/"  # clocks, pictures, the user's own ledger


def wrong(done: Outcome, *, code: int, says: str) -> list[str]:
    """Return what is wrong with how a command refused."""
    lines = [line for line in done.errors.splitlines() if line.startswith("bakeoff: ")]
    found = []
    if done.code != code:
        found.append(f"ended with {done.code} instead of {code}: {done.last_line}")
    if len(lines) != 1 or says not in lines[0] or "unexpected" in lines[0]:
        found.append(f"expected one line with {says!r}, found {lines}: {done.last_line}")
    if "Traceback" in done.errors:
        found.append(f"a traceback: {done.errors[-600:]}")
    return found


def finishes(box: Sandbox, known: Reference) -> list[str]:
    """Return what is wrong after the same command was given again, undisturbed."""
    again = box.do(box.run, plan=Plan(str(box.root), str(box.notes), plain=True))
    found = [] if again.code == 0 else [f"ended with {again.code}: {again.last_line}"]
    found += state.broken(box.study) + [f"left: {each}" for each in state.leftovers(box.study)]
    return found + state.differences(state.content(box.study), known.content)


# ── injected ─────────────────────────────────────────────────────────────────────────────────


def injected(known: Reference, reads: int, number: int, seed: int) -> list[dict[str, Any]]:
    """Return plans: a disk that is full from a change on, an error at one change or one read."""
    chance = random.Random(seed)
    kinds = set(WRITING.split())
    last = sum(each.split(" ")[0] in kinds for each in known.changes)
    plans: list[dict[str, Any]] = []
    for act, lasting in (("ENOSPC", True), ("EIO", False), ("EROFS", True)):
        places = sorted(chance.sample(range(1, last + 1), min(number, last)))
        plans += [{"act": act, "at": k, "lasting": lasting, "only": WRITING} for k in places]
    places = sorted(chance.sample(range(1, reads + 1), min(number, reads)))
    return plans + [{"act": "EIO", "at": k, "reads": True} for k in places]


def count_reads(box: Sandbox) -> int:
    """Return how often a run opens a file to read it."""
    plan = Plan(str(box.prepare().root), str(box.notes), reads=True, plain=True)
    box.do([*box.run, "--workers", "1"], plan=plan)
    return len(changes(box.notes))


def inject(plan: dict[str, Any], box: Sandbox, known: Reference) -> dict[str, Any]:
    """Do one of them."""
    box.prepare()
    before = Plan(str(box.root), str(box.notes), checkpoint_seconds=0, plain=True, **plan)
    done = box.do([*box.run, "--workers", "1"], plan=before)
    problems = []
    reached = done.code != 0
    if reached:
        problems += wrong(done, code=1, says=ADVICE[plan["act"]])
    elif not plan.get("reads"):
        problems.append(f"the fault was not noticed: {done.last_line}")
    problems += state.broken(box.study)
    problems += finishes(box, known)
    return {**plan, "reached": reached, "problems": problems}


def unread(command: str, box: Sandbox, known: Reference) -> dict[str, Any]:
    """Give a command that reads a study, with an error at its first read, its second …, its last.

    It says which file cannot be read; or it gives the same without it, or does without what is
    SPARED.
    """
    problems = finishes(box.prepare(), known)
    words = box.run if command == "run" else [command, str(box.study)]
    good = box.do(words, plan=Plan(str(box.root), str(box.notes), plain=True))
    at, refused = 0, 0
    while True:
        at += 1
        clear(box.notes)
        plan = Plan(str(box.root), str(box.notes), act="EIO", at=at, reads=True, plain=True)
        done = box.do(words, plan=plan)
        read = changes(box.notes)
        if len(read) < at:
            break
        name = read[at - 1].removeprefix("read ")
        if done.code:
            refused += 1
            problems += _unread_said(done, name)
        elif not re.search(SPARED, name) and done.output != good.output:
            problems.append(f"{name}: {command} came to something else: {done.output[-300:]}")
    return {"command": command, "reads": at - 1, "refused": refused, "problems": problems}


def _unread_said(done: Outcome, name: str) -> list[str]:
    """Return what is wrong with how a command refused; `verify` says it on standard output."""
    lines = [line for line in (done.output + done.errors).splitlines() if ADVICE["EIO"] in line]
    if done.code == 1 and len(lines) == 1 and name in lines[0] and "Traceback" not in done.errors:
        return []
    return [f"{name}: ended with {done.code}: {done.output[-300:]}{done.errors[-300:]}"]


# ── real ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a small file system in memory."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def remount(place: Path, options: str) -> None:
    """Change a mount's options."""
    subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)


def full(size: str) -> Callable[[Sandbox, Reference], list[str]]:
    """Fill a disk of this size; then make it larger."""

    def do(box: Sandbox, known: Reference) -> list[str]:
        with small_disk(box.root, size):
            done = box.do(box.run)
            problems = wrong(done, code=1, says=ADVICE["ENOSPC"]) + state.broken(box.study)
            remount(box.root, "size=100m")
            return problems + finishes(box, known)

    return do


def read_only(box: Sandbox, known: Reference) -> list[str]:
    """Finish a study on a disk that becomes read-only: it can be read, and not gone on with."""
    with small_disk(box.root, "100m"):
        problems = finishes(box, known)
        remount(box.root, "ro")
        study = str(box.study)
        for words in (["status", study], ["compare", study], ["verify", study]):
            done = box.do(words)
            if done.code:
                problems.append(f"{words[0]} ended with {done.code}: {done.last_line}")
        more = [*box.run, "--seeds", "3"]
        problems += wrong(box.do(more), code=1, says=ADVICE["EROFS"])
        problems += wrong(box.do(["report", study]), code=1, says="read-only file system")
        remount(box.root, "rw")
    return problems


def forbidden(box: Sandbox, known: Reference) -> list[str]:
    """Be somebody else: the study can be read, and not gone on with; then a file of it cannot."""
    problems = finishes(box, known)
    for folder in (box.root.parent, box.root, box.notes):
        folder.chmod(0o755)
    box.notes.chmod(0o777)
    box.recipe_file.chmod(0o644)
    study = str(box.study)
    for words in (["status", study], ["compare", study], ["verify", study]):
        done = box.do(words, user=NOBODY)
        if done.code:
            problems.append(f"{words[0]} ended with {done.code}: {done.last_line}")
    more = [*box.run, "--seeds", "3"]
    problems += wrong(box.do(more, user=NOBODY), code=1, says=ADVICE["EACCES"])
    problems += wrong(
        box.do(["run", str(box.recipe_file), "--out", str(box.root / "new")], user=NOBODY),
        code=1,
        says=ADVICE["EACCES"],
    )
    (box.study / "openings" / "1" / "labels.npy").chmod(0o600)
    closed = box.do(["compare", study], user=NOBODY)
    problems += wrong(closed, code=1, says="labels.npy: permission denied")
    return problems


# ── memory, clock, cache ─────────────────────────────────────────────────────────────────────


def killed_for_memory(box: Sandbox, known: Reference) -> list[str]:
    """Kill whoever trains one trial, again and again, as the kernel does; the others go on."""
    plan = Plan(str(box.root), str(box.notes), fatal="long seed 1")
    done = box.do(box.run, plan=plan)
    problems = [] if done.code == 1 else [f"ended with {done.code}: {done.last_line}"]
    lost = "bakeoff: long seed 1 was lost: its worker process was killed (out of memory?)"
    if lost not in done.errors:
        problems.append(f"expected {lost!r}, found {done.errors[-400:]}")
    if len([name for name in state.finished(box.study) if name.startswith("trials/")]) != 3:
        problems.append("the other trials are not there")
    if (box.study / "ledger.jsonl").exists():
        problems.append("the test set was opened, though a trial is missing")
    again = box.do(box.run)
    if again.code or state.broken(box.study):
        problems.append(f"the same command ended with {again.code}: {again.last_line}")
    return problems


def out_of_memory(box: Sandbox, known: Reference) -> list[str]:
    """Let a worker take 1 GB more: one network does not fit, the others do."""
    wide = "  wide: {layers: [{dense: 9900}, {dense: 9900}], training: {epochs: 1}}\n"
    box.recipe_file.write_text(RECIPE + wide)
    done = box.do(box.run, plan=Plan(str(box.root), str(box.notes), memory=1 << 30))
    problems = [] if done.code == 1 else [f"ended with {done.code}: {done.last_line}"]
    if "wide seed 0 was lost" not in done.errors or "Traceback" in done.errors:
        problems.append(f"expected that wide was lost, found {done.errors[-600:]}")
    if len([name for name in state.finished(box.study) if name.startswith("trials/")]) != 4:
        problems.append("the other trials are not there")
    return problems + state.broken(box.study)


def clock(days: float) -> Callable[[Sandbox, Reference], list[str]]:
    """Let the clock jump in the middle of the training; then in the middle of the opening."""

    def do(box: Sandbox, known: Reference) -> list[str]:
        problems = []
        for at in (len(known.changes) // 3, 2 * len(known.changes) // 3):
            box.prepare()
            plan = Plan(
                str(box.root), str(box.notes), at=at, clock=days * 86400, checkpoint_seconds=0
            )
            done = box.do(box.run, plan=plan)
            if done.code:
                problems.append(f"ended with {done.code}: {done.last_line}")
            problems += finishes(box, known)
        return problems

    return do


def programs(damage: Callable[[bytes], bytes]) -> Callable[[Sandbox, Reference], list[str]]:
    """Damage the compiled programs that are kept between runs: they are compiled again."""

    def do(box: Sandbox, known: Reference) -> list[str]:
        own = Sandbox(box.root, box.notes / "cache", box.recipe, box.counter)
        problems = finishes(own, known)
        entries = [path for path in own.cache.rglob("*") if path.is_file()]
        for path in entries:
            path.write_bytes(damage(path.read_bytes()))
        if not any("programs" in str(path) for path in entries):
            problems.append("no compiled programs were kept")
        shutil.rmtree(own.study)
        return problems + finishes(own, known)

    return do


def no_cache(box: Sandbox, known: Reference) -> list[str]:
    """Put a file where compiled programs should be kept."""
    cache = box.notes / "cache"
    cache.write_text("")
    return finishes(Sandbox(box.root, cache, box.recipe, box.counter), known)


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1 :]


SCENES: dict[str, Callable[[Sandbox, Reference], list[str]]] = {
    "a disk of 100 kB that is full": full("100k"),
    "a disk of 250 kB that is full": full("250k"),
    "a disk of 400 kB that is full": full("400k"),
    "a disk that is read-only": read_only,
    "a study of another user": forbidden,
    "a worker killed for its memory": killed_for_memory,
    "a network without memory": out_of_memory,
    "a clock a day ahead": clock(1),
    "a clock a day behind": clock(-1),
    "compiled programs cut": programs(lambda content: content[: len(content) // 2]),
    "compiled programs emptied": programs(lambda content: b""),
    "compiled programs changed": programs(_flipped),
    "no place for compiled programs": no_cache,
}
AS_ROOT = ("a disk", "a study of")


def play(name: str, box: Sandbox, known: Reference) -> dict[str, Any]:
    """Do one of the scenes; those that mount or change users need root."""
    if os.getuid() != 0 and name.startswith(AS_ROOT):
        return {"scene": name, "skipped": True, "problems": []}
    box.prepare()
    return {"scene": name, "skipped": False, "problems": SCENES[name](box, known)}


def torture(
    folder: Path,
    cache: Path,
    known: Reference,
    small: Reference,
    *,
    number: int,
    seed: int,
    **sharing: Any,
) -> bool:
    """Do all of it and print the figures; say whether nothing went wrong."""

    def box(job: int, undisturbed: Reference) -> Sandbox:
        return Sandbox(folder / f"job-{job}", cache, undisturbed.recipe)

    started = time.monotonic()
    results = shared(
        lambda job, plan: inject(plan, box(job, small), small),
        injected(small, count_reads(box(0, small)), number, seed),
        folder=folder,
        **sharing,
    )
    good = figures(
        "disk errors, injected",
        {
            f"{act}{' on reading' if reads else ''}": f"{_reached(results, act, reads)} reached"
            for act, reads in (("ENOSPC", None), ("EROFS", None), ("EIO", None), ("EIO", True))
        },
        [each for each in results if each["problems"]],
        time.monotonic() - started,
    )
    started = time.monotonic()
    looked = shared(
        lambda job, command: unread(command, box(job, small), small),
        READING,
        folder=folder,
        **sharing,
    )
    rows: dict[str, Any] = {
        e["command"]: f"{e['reads']} reads, {e['refused']} refused" for e in looked
    }
    problems = [each for each in looked if each["problems"]]
    good = figures("an error at every read", rows, problems, time.monotonic() - started) and good
    started = time.monotonic()
    scenes = shared(
        lambda job, name: play(name, box(job, known), known),
        list(SCENES),
        folder=folder,
        **sharing,
    )
    rows = {e["scene"]: "skipped: needs root" if e["skipped"] else _word(e) for e in scenes}
    problems = [each for each in scenes if each["problems"]]
    return figures("faults of the machine", rows, problems, time.monotonic() - started) and good


def _reached(results: Sequence[dict[str, Any]], act: str, reads: bool | None) -> int:
    return sum(e["act"] == act and e.get("reads") == reads and e["reached"] for e in results)


def _word(result: dict[str, Any]) -> str:
    return "no" if result["problems"] else "as promised"
