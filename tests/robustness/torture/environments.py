"""Environments that changed networks in silence or lost trials: each comes to the same, or refuses.

Every command is a real one, of a Python of its own. What is refused is refused in one line, before
anything is trained, and leaves nothing behind.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.robustness.torture import state
from tests.robustness.torture.disks import small_disk, wrong
from tests.robustness.torture.sandbox import DEADLINE, Outcome, Sandbox
from tests.robustness.torture.say import figures, say

RECIPE = """\
name: tiny
data: digits
split: {validation: {first: 200}, test: 0.5}
seeds: 1
baselines: [majority]
training: {epochs: 2, batch_size: 64}
models:
  conv: {layers: [{conv2d: {filters: 2, kernel_size: 3}}, {dense: 8}]}
  line: {layers: []}
"""
MOVED = RECIPE.replace("epochs: 2", "epochs: 2000").replace("seeds: 1", "seeds: 2")
LIMIT = 1_500_000_000  # bytes of a control group
ROOT = Path(__file__).resolve().parents[3]
Known = dict[str, str]
Scene = Callable[[Sandbox, Known], list[str]]


def command(
    box: Sandbox,
    words: Sequence[str],
    *,
    environment: Mapping[str, str | None] | None = None,
    before: Sequence[str] = (),
    flags: Sequence[str] = (),
    closed: Sequence[int] = (),
    user: int | None = None,
) -> Outcome:
    """Carry out a command, started by `before` if that is given, with some streams closed."""
    given: dict[str, str | None] = {**os.environ, **box.environment(), **(environment or {})}
    given.setdefault("PYTHONPATH", str(ROOT / "src"))
    out, err = box.notes / "out", box.notes / "err"
    redirected = [f"{number}>&-" for number in closed]
    shell = ["sh", "-c", f'exec "$@" {" ".join(redirected)}', "sh"] if closed else []
    with out.open("wb") as to_out, err.open("wb") as to_err:
        code = subprocess.run(
            [*shell, *before, sys.executable, *flags, "-m", "bakeoff", *words],
            env={name: value for name, value in given.items() if value is not None},
            cwd=box.root,
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
            timeout=DEADLINE,
            user=user,
            check=False,
        ).returncode
    return Outcome(code, out.read_text(), err.read_text(), 0.0, 0.0)


def differs(box: Sandbox, known: Known, done: Outcome) -> list[str]:
    """Return what is wrong with a run that should have come to the same as any other."""
    found = [] if done.code == 0 else [f"ended with {done.code}: {done.last_line}"]
    found += state.broken(box.study) + [f"left: {each}" for each in state.leftovers(box.study)]
    found += state.differences(state.content(box.study), known)
    return found


def same(**how: Any) -> Scene:
    """Run a study in an environment that must change nothing."""

    def do(box: Sandbox, known: Known) -> list[str]:
        return differs(box, known, command(box, box.run, **how))

    return do


def refused(says: str, *, code: int, **how: Any) -> Scene:
    """Run a study in an environment in which it cannot be carried out."""

    def do(box: Sandbox, known: Known) -> list[str]:
        done = command(box, box.run, **how)
        left = [f"left: {box.study}"] if box.study.exists() else []
        return wrong(done, code=code, says=says) + left

    return do


# ── scenes ───────────────────────────────────────────────────────────────────────────────────


def of_others(box: Sandbox, known: Known) -> list[str]:
    """Let Keras's file and variables of JAX, XLA, matplotlib and the terminal say otherwise."""
    keras = box.notes / "keras"
    keras.mkdir()
    said = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.1}
    (keras / "keras.json").write_text(json.dumps({**said, "backend": "tensorflow"}))
    environment = {
        "KERAS_HOME": str(keras),
        "JAX_ENABLE_X64": "1",
        "JAX_NUMPY_RANK_PROMOTION": "raise",
        "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
        "XLA_FLAGS": "--xla_no_such_flag=1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "FORCE_COLOR": "1",
    }
    done = command(box, box.run, environment=environment)
    codes = ["cursor codes in a file"] if "\x1b" in done.errors else []
    return differs(box, known, done) + codes


def long_names(box: Sandbox, known: Known) -> list[str]:
    """Let temporary files lie in a folder with a long name."""
    place = box.notes / ("t" * 100)
    place.mkdir()
    return same(environment={"TMPDIR": str(place)})(box, known)


def nobody_reads(box: Sandbox, known: Known) -> list[str]:
    """Let whoever reads standard output and error go away at once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bakeoff", *box.run],
        env={**os.environ, **box.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    code = process.wait(DEADLINE)
    found = [] if code == 0 else [f"ended with {code}"]
    return found + differs(box, known, Outcome(0, "", "", 0.0, 0.0))


def moved(box: Sandbox, known: Known) -> list[str]:
    """Move a study while it trains; it goes on where it is now."""
    box.recipe_file.write_text(MOVED)
    process = subprocess.Popen(
        [sys.executable, "-m", "bakeoff", *box.run, "--workers", "1"],
        env={**os.environ, **box.environment()},
        stdout=subprocess.DEVNULL,
        stderr=(box.notes / "err").open("wb"),
    )
    while not list(box.study.glob("trials/*/*/checkpoint-*")) and process.poll() is None:
        time.sleep(0.05)
    there = box.root / "moved"
    box.study.rename(there)
    done = Outcome(process.wait(DEADLINE), "", (box.notes / "err").read_text(), 0.0, 0.0)
    found = wrong(done, code=1, says="it was moved or deleted while it ran")
    if box.study.exists():
        found.append("a folder of the old name was made again")
    again = command(box, ["run", str(box.recipe_file), "--out", str(there), "--only", "line"])
    return found + ([] if again.code == 0 else [f"ended with {again.code}: {again.last_line}"])


def stopped(box: Sandbox, known: Known) -> list[str]:
    """Stop a worker: it is named after a minute, and replaced after five."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bakeoff", *box.run, "--workers", "1"],
        env={**os.environ, **box.environment()},
        stdout=subprocess.DEVNULL,
        stderr=(box.notes / "err").open("wb"),
    )
    while not list(box.study.glob(".locks/*.seed-0.lock")) and process.poll() is None:
        time.sleep(0.01)  # until a worker is at a trial: what else the server starts is left alone
    for server in _children(process.pid):
        for worker in _children(server):
            os.kill(worker, signal.SIGSTOP)
    code = process.wait(2 * DEADLINE)
    said = (box.notes / "err").read_text()
    found = [f"expected {text!r}, found {said[-400:]}" for text in _OF_STOPPED if text not in said]
    return found + differs(box, known, Outcome(code, "", said, 0.0, 0.0))


_OF_STOPPED = ("has done nothing for", "seconds; trying once more")


def _children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(each) for each in path.read_text().split()] if path.exists() else []


def limited(box: Sandbox, known: Known) -> list[str]:
    """Put the command into a control group nested in one that limits memory: that limit counts."""
    top = Path("/sys/fs/cgroup")
    version_1 = (top / "memory").is_dir()
    outer = (top / "memory" if version_1 else top) / f"bakeoff-torture-{os.getpid()}"
    inner = outer / "inner"
    try:
        inner.mkdir(parents=True)
        limit = outer / ("memory.limit_in_bytes" if version_1 else "memory.max")
        limit.write_text(str(LIMIT))
        enter = ["sh", "-c", f'echo $$ > "{inner}/cgroup.procs"; exec "$@"', "sh"]
        done = command(box, box.run, before=enter)
        doctor = command(box, ["doctor"], before=enter)
    finally:
        for group in (inner, outer):
            _remove_group(group)
    [memory] = [line for line in doctor.output.splitlines() if " memory: " in line]
    free = float(memory.split(" memory: ")[1].split(" GB")[0]) * 1e9
    found = [] if free <= LIMIT else [f"doctor says {memory!r} within {LIMIT / 1e9} GB"]
    return found + differs(box, known, done)


def _remove_group(group: Path) -> None:
    """Remove a control group once the last process in it is gone."""
    end = time.monotonic() + DEADLINE
    while group.is_dir() and time.monotonic() < end:
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.1)


def no_proc(box: Sandbox, known: Known) -> list[str]:
    """Take /proc away, as a chroot without it."""
    before = ["unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$@"', "sh"]
    return refused("expected /proc/cpuinfo", code=2, before=before)(box, known)


def no_programs(box: Sandbox, known: Known) -> list[str]:
    """Let the package lie on a disk that runs no programs: the kernels are left out and named."""
    package = box.notes / "package"
    with small_disk(package, "100m"):
        subprocess.run(["cp", "-r", ROOT / "src" / "bakeoff", package], check=True)
        subprocess.run(["mount", "-o", "remount,noexec", package], check=True)
        if not (package / "bakeoff/training/native/lib").is_dir():
            return []  # this checkout has no compiled kernels
        done = command(box, ["doctor"], environment={"PYTHONPATH": str(package)})
    [kernels] = [line for line in done.output.splitlines() if " kernels: " in line]
    named = "– kernels: plain: the native kernels for " in kernels
    return [] if named and done.code == 0 else [f"ended with {done.code}: {kernels}"]


SCENES: dict[str, Scene] = {
    "settings of others: Keras's file, JAX, XLA, matplotlib, colours": of_others,
    "a long name of the folder for temporary files": long_names,
    "PYTHONOPTIMIZE=2": same(environment={"PYTHONOPTIMIZE": "2"}),
    "a relative HOME": same(environment={"HOME": "nowhere", "XDG_CACHE_HOME": None}),
    "standard input and error closed": same(closed=(0, 2)),
    "all three streams closed": same(closed=(0, 1, 2)),
    "nobody reads what is printed": nobody_reads,
    "a study moved while it trains": moved,
    "a ledger that cannot be written": refused(
        "(BAKEOFF_HOME names the folder of your own ledgers)",
        code=2,
        environment={"BAKEOFF_HOME": "/dev/null/home"},
    ),
    "a limit on the memory of an outer control group": limited,
    "no /proc": no_proc,
    "a disk that runs no programs": no_programs,
    "a stopped worker": stopped,
}
AS_ROOT = ("a limit", "no /proc", "a disk")


def torture(folder: Path, cache: Path) -> bool:
    """Play all scenes and print how they ended; say whether nothing went wrong."""
    started = time.monotonic()
    box = Sandbox(folder / "environments", cache, RECIPE).prepare()
    plain = command(box, box.run)
    if plain.code:
        raise RuntimeError(f"the undisturbed run failed: {plain.errors}")
    known = state.content(box.study)
    rows: dict[str, Any] = {}
    problems = []
    for name, scene in SCENES.items():
        if os.getuid() != 0 and name.startswith(AS_ROOT):
            rows[name] = "skipped: needs root"
            continue
        found = scene(box.prepare(), known)
        problems += [f"{name}: {each}" for each in found]
        rows[name] = "no" if found else "as promised"
        say(f"{name}: {found or rows[name]}")
    box.remove()
    return figures("environments", rows, problems, time.monotonic() - started)
