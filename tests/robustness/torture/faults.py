"""Faults put into a process from outside: kills, disk errors, a jumping clock; src knows nothing.

`install(plan)` replaces what the standard library offers to change files below the folder
`plan.root`, by functions that count each change and can fail or die at the k-th. The count is
shared by all processes of a command: it lies in a file. Linux only.
"""

import errno
import fcntl
import io
import json
import os
import resource
import shutil  # looks once, when it is imported, for what os can do: before anything is replaced
import signal
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_COUNT = struct.Struct("<q")
_EPOCH_LOG = "epochs.log"
_open, _lseek, _read, _write, _close = os.open, os.lseek, os.read, os.write, os.close
_kill, _getpid, _readlink, _exists = os.kill, os.getpid, os.readlink, os.path.lexists
assert shutil.rmtree


@dataclass(frozen=True)
class Plan:
    """What shall happen to a command.

    root : only changes of files below it count
    notes : folder, outside `root`, for the count and the logs
    act : what happens at the change number `at` (the first is 1): "count" nothing; "kill" the
        process dies; "kill parent" the command does; "kill all" its session does; "ENOSPC",
        "EIO" … the change fails
    lasting : a failure goes on failing, as a full disk does
    only : kinds of change that count ("write fsync"); all by default
    match : count only changes whose path contains this
    reads : count reading opens instead of changes
    fatal : a trial, "cnn seed 3", whose worker is killed at each epoch
    memory : address space that a trial's worker may take beyond what it has, bytes
    plain : leave the figures out of report.html, which is derived: they take a third of the time
    checkpoint_seconds : replaces checkpoints.CHECKPOINT_SECONDS
    clock : seconds that the wall clock jumps by at the change number `at`
    """

    root: str
    notes: str
    act: str = "count"
    at: int = 0
    lasting: bool = False
    only: str = ""
    match: str = ""
    reads: bool = False
    fatal: str = ""
    memory: int = 0
    plain: bool = False
    checkpoint_seconds: float | None = None
    clock: float = 0.0

    def text(self) -> str:
        """Return the plan as JSON, for the environment."""
        return json.dumps(asdict(self))


def install(plan: Plan) -> None:
    """Carry the plan out in this process and its children that are forked."""
    gate = _Gate(plan)
    if plan.reads:
        _replace_reading(gate)
    else:
        _replace_writing(gate)
    _when_imported("bakeoff.study.jobs.checkpoints", lambda module: _checkpoints(module, plan))
    _when_imported("bakeoff.training.trainer", lambda module: _log_epochs(module, plan))
    if plan.plain:
        _when_imported("bakeoff.report", _without_figures)
    if plan.clock:
        for name in (
            "bakeoff.study.jobs.job",
            "bakeoff.study.create.prepare",
            "bakeoff.study.opening.open_test_set",
        ):
            _when_imported(name, lambda module: _jumping_clock(module, gate))


def changes(notes: Path) -> list[str]:
    """Return what was counted: "rename trials/…" by number; the first is number 1."""
    path = notes / "changes.log"
    lines = [line.split(" ", 1) for line in path.read_text().splitlines()] if path.exists() else []
    return [text for _, text in sorted((int(number), text) for number, text in lines)]


def by_workers(notes: Path) -> list[int]:
    """Return the numbers of the changes that were not the command's own."""
    path = notes / "workers.log"
    return sorted(map(int, path.read_text().split())) if path.exists() else []


def clear(notes: Path) -> None:
    """Forget what was counted."""
    for name in ("changes.log", "workers.log", "count"):
        (notes / name).unlink(missing_ok=True)


def epochs(notes: Path) -> list[tuple[str, int]]:
    """Return every epoch that was trained: (model and seed, epoch)."""
    path = notes / _EPOCH_LOG
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line.rpartition(" ")[0], int(line.rpartition(" ")[2])) for line in lines]


class _Gate:
    """Counts changes over all processes and acts at the one that is wanted."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._root = os.path.realpath(plan.root) + os.sep
        self._count = os.path.join(plan.notes, "count")
        self._log = os.path.join(plan.notes, "changes.log")
        self._workers = os.path.join(plan.notes, "workers.log")

    def ours(self, path: Any, dir_fd: int | None = None) -> str | None:
        """Return a path relative to the root; None if it lies elsewhere."""
        if isinstance(path, int):
            try:
                text = _readlink(f"/proc/self/fd/{path}")
            except OSError:
                return None
        else:
            text = os.fsdecode(path)
            if dir_fd is not None:
                text = os.path.join(_readlink(f"/proc/self/fd/{dir_fd}"), text)
        text = os.path.abspath(text)
        return text.removeprefix(self._root) if text.startswith(self._root) else None

    def change(self, what: str, path: str | None) -> None:
        """Count a change of `path` and act if it is the one."""
        if path is None or self.plan.match not in path:
            return
        if self.plan.only and what not in self.plan.only.split():
            return
        number = self._next()
        _append(self._log, f"{number} {what} {path}\n")
        if _getpid() != os.getsid(0):
            _append(self._workers, f"{number}\n")
        plan = self.plan
        if number != plan.at and not (plan.lasting and number > plan.at):
            return
        if plan.act == "kill":
            _kill(_getpid(), signal.SIGKILL)
        elif plan.act == "kill parent":
            _kill(os.getsid(0), signal.SIGKILL)
        elif plan.act == "kill all":
            os.killpg(os.getsid(0), signal.SIGKILL)
        elif plan.act != "count":
            code = getattr(errno, plan.act)
            raise OSError(code, os.strerror(code), os.path.join(self._root, path))

    def passed(self) -> bool:
        """Say whether the change was reached."""
        try:
            file = _open(self._count, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return _COUNT.unpack(_read(file, 8).ljust(8, b"\0"))[0] >= self.plan.at
        finally:
            _close(file)

    def _next(self) -> int:
        file = _open(self._count, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            number: int = _COUNT.unpack(_read(file, 8).ljust(8, b"\0"))[0] + 1
            _lseek(file, 0, os.SEEK_SET)
            _write(file, _COUNT.pack(number))
            return number
        finally:
            _close(file)


def _append(path: str, text: str) -> None:
    file = _open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        _write(file, text.encode())
    finally:
        _close(file)


# ── the standard library, replaced ───────────────────────────────────────────────────────────


def _replace_writing(gate: _Gate) -> None:
    for name in ("mkdir", "rmdir", "unlink", "remove", "rename", "replace"):
        setattr(os, name, _counted(gate, name, getattr(os, name)))
    fsync = os.fsync

    def counted_fsync(file: int) -> None:
        gate.change("fsync", gate.ours(file))
        fsync(file)

    os.fsync = counted_fsync
    plain = io.open

    def counted_open(file: Any, mode: str = "r", *others: Any, **named: Any) -> Any:
        path = None if isinstance(file, int) or not set(mode) & set("wax+") else gate.ours(file)
        if path is None:
            return plain(file, mode, *others, **named)
        gate.change("open", path)
        return _Halting(plain(file, mode, *others, **named), gate, path)

    _replace_open(counted_open)


def _counted(gate: _Gate, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    def counted(path: Any, *others: Any, **named: Any) -> Any:
        place = gate.ours(path, named.get("dir_fd"))
        if name != "mkdir" or (place is not None and not _exists(path)):
            gate.change(name, place)
        return plain(path, *others, **named)

    return counted


def _replace_reading(gate: _Gate) -> None:
    plain = io.open

    def counted_open(file: Any, mode: str = "r", *others: Any, **named: Any) -> Any:
        if not isinstance(file, int) and not set(mode) & set("wax+"):
            gate.change("read", gate.ours(file))
        return plain(file, mode, *others, **named)

    def counted_low_open(file: Any, flags: int, *others: Any, **named: Any) -> int:
        writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_DIRECTORY
        if not flags & writing and not os.path.isdir(file):
            gate.change("read", gate.ours(file, named.get("dir_fd")))
        return _open(file, flags, *others, **named)

    _replace_open(counted_open)
    os.open = counted_low_open


def _replace_open(function: Callable[..., Any]) -> None:
    import builtins

    io.open = builtins.open = function  # type: ignore[assignment]


class _Halting:
    """A file that stops half-way through every write, to be killed or to find the disk full."""

    def __init__(self, file: Any, gate: _Gate, path: str) -> None:
        self._file, self._gate, self._path = file, gate, path

    def write(self, content: Any) -> int:
        half = len(content) // 2
        self._file.write(content[:half])
        self._file.flush()
        self._gate.change("write", self._path)
        self._file.write(content[half:])
        self._file.flush()
        return len(content)

    def __enter__(self) -> "_Halting":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


# ── Bakeoff's modules, changed when they come ────────────────────────────────────────────────


def _when_imported(name: str, change: Callable[[Any], None]) -> None:
    """Call `change` with a module now, if it is there, or as soon as it has been imported."""
    if name in sys.modules:
        change(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Finder(name, change))


class _Finder:
    def __init__(self, name: str, change: Callable[[Any], None]) -> None:
        self._name, self._change = name, change

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        assert spec is not None and spec.loader is not None
        run, change = spec.loader.exec_module, self._change

        def run_and_change(module: Any) -> None:
            run(module)
            change(module)

        spec.loader.exec_module = run_and_change  # type: ignore[method-assign]
        return spec


def _checkpoints(module: Any, plan: Plan) -> None:
    if plan.checkpoint_seconds is not None:
        module.CHECKPOINT_SECONDS = plan.checkpoint_seconds


def _without_figures(module: Any) -> None:
    module.html = lambda comparison: f"<html>{comparison.study}</html>"


def _log_epochs(module: Any, plan: Plan) -> None:
    path = os.path.join(plan.notes, _EPOCH_LOG)
    trainer = module.Trainer
    begin, epoch = trainer.__init__, trainer.epoch

    def logged_begin(self: Any, model: Any, *others: Any, seed: int, **named: Any) -> None:
        self.label_for_the_log = f"{model.name} seed {seed}"
        if plan.memory:
            _limit_memory(plan.memory)
        begin(self, model, *others, seed=seed, **named)

    def logged_epoch(self: Any) -> Any:
        if self.label_for_the_log == plan.fatal:
            _kill(_getpid(), signal.SIGKILL)
        result = epoch(self)
        _append(path, f"{self.label_for_the_log} {result.epoch}\n")
        return result

    trainer.__init__, trainer.epoch = logged_begin, logged_epoch


def _limit_memory(more: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, most))


def _jumping_clock(module: Any, gate: _Gate) -> None:
    plain = module.datetime

    class Jumping(plain):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, zone: Any = None) -> Any:
            shift = gate.plan.clock if gate.passed() else 0.0
            return plain.fromtimestamp(time.time() + shift, zone)

    module.datetime = Jumping
