"""One Bakeoff command in a folder of its own, to be watched, disturbed and killed.

A command is forked from this process, which has imported Keras and JAX, and so is its fork server:
that spares ten seconds a command and changes nothing else. `real=True` starts Python instead. A
command is the leader of its session; its fork server and workers belong to it.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers.forked import fork_instead_of_spawning, redirect
from tests.robustness.torture.faults import Plan, install

PACKAGE = Path(__file__).resolve().parent
DEADLINE = 300.0  # seconds after which a command counts as hanging


@dataclass(frozen=True)
class Sandbox:
    """A folder with a study, a user's home, and notes that the faults take."""

    root: Path
    cache: Path
    recipe: str = ""
    counter: list[int] = field(default_factory=lambda: [0])

    @property
    def study(self) -> Path:
        """The study's folder."""
        return self.root / "study"

    @property
    def notes(self) -> Path:
        """Where faults count; not below anything that a command writes to."""
        return self.root.with_name(f"{self.root.name}.notes")

    def prepare(self) -> "Sandbox":
        """Make the folders, empty, and the recipe's file; return self."""
        for folder in (self.root, self.notes):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self.recipe_file.write_text(self.recipe)
        return self

    def remove(self) -> None:
        """Delete everything."""
        for folder in (self.root, self.notes):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def recipe_file(self) -> Path:
        """The recipe; beside the study, where no fault counts."""
        return self.notes / "recipe.yaml"

    @property
    def run(self) -> list[str]:
        """The words of the command that is repeated."""
        return ["run", str(self.recipe_file), "--out", str(self.study)]

    def environment(self) -> dict[str, str]:
        """Return what a command finds in its environment beside this process's own."""
        return {
            "BAKEOFF_HOME": str(self.root / "home"),
            "XDG_CACHE_HOME": str(self.cache),
            "COLUMNS": "100",
        }

    def start(
        self,
        words: Sequence[str],
        *,
        plan: Plan | None = None,
        real: bool = False,
        user: int | None = None,
    ) -> "Command":
        """Start a command, as another `user` if one is given."""
        self.counter[0] += 1
        log = self.notes / f"command-{self.counter[0]}"
        if real:
            pid = _start_python(words, self.environment(), log, plan)
        else:
            pid = _fork(words, self.environment(), log, plan, user)
        return Command(pid, log)

    def do(self, words: Sequence[str], **how: Any) -> "Outcome":
        """Carry a command out."""
        return self.start(words, **how).wait()


@dataclass(frozen=True)
class Outcome:
    """How a command ended; `code` is negative if a signal ended it.

    seconds : by the clock
    work : seconds of a processor, of the command itself and the children it waited for
    """

    code: int
    output: str
    errors: str
    seconds: float
    work: float

    @property
    def last_line(self) -> str:
        """The last line on standard error."""
        return (self.errors.strip().splitlines() or [""])[-1]


class Command:
    """A command that runs."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid, self._log, self._started = pid, log, time.monotonic()

    def wait(self) -> Outcome:
        """Wait until it ends; RuntimeError if it hangs."""
        while time.monotonic() - self._started < DEADLINE:
            done, status, used = os.wait4(self.pid, os.WNOHANG)
            if done:
                seconds = time.monotonic() - self._started
                texts = (_text(self._log, "out"), _text(self._log, "err"))
                work = used.ru_utime + used.ru_stime
                return Outcome(os.waitstatus_to_exitcode(status), *texts, seconds, work)
            time.sleep(0.005)
        self.kill()
        raise RuntimeError(f"hung for {DEADLINE:.0f} s: {_text(self._log, 'err')[-2000:]}")

    @property
    def ended(self) -> bool:
        """Say whether it has ended, without taking note of how."""
        result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return result is not None

    def kill(self) -> None:
        """Kill it with all its processes."""
        for pid in [self.pid, *self.helpers()]:
            _kill(pid)

    def kill_parent(self) -> None:
        """Kill the command itself; its helpers are expected to follow."""
        _kill(self.pid)

    def workers(self) -> list[int]:
        """Return the processes that do jobs: the children of the fork server."""
        return [each for pid in children(self.pid) for each in children(pid)]

    def servers(self) -> list[int]:
        """Return the fork server and the resource tracker."""
        return children(self.pid)

    def helpers(self) -> list[int]:
        """Return all its processes but itself, alive now."""
        return [pid for pid in session(self.pid) if pid != self.pid]

    def wait_for_helpers(self, seconds: float = 60.0) -> bool:
        """Wait until its helpers are gone; say whether they went by themselves."""
        end = time.monotonic() + seconds
        while self.helpers():
            if time.monotonic() > end:
                for pid in self.helpers():
                    _kill(pid)
                return False
            time.sleep(0.01)
        return True


def _text(log: Path, ending: str) -> str:
    return log.with_suffix(f".{ending}").read_text(errors="replace")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


# ── starting ─────────────────────────────────────────────────────────────────────────────────


def _start_python(
    words: Sequence[str], environment: Mapping[str, str], log: Path, plan: Plan | None
) -> int:
    environment = {**os.environ, **environment}
    if plan is not None:
        paths = [str(PACKAGE / "inject"), str(PACKAGE.parents[2]), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        environment["TORTURE_PLAN"] = plan.text()
    with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "bakeoff", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    process.returncode = 0  # waited for by its number
    return process.pid


def _fork(
    words: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    plan: Plan | None,
    user: int | None,
) -> int:
    """Fork a command from this process."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        os.environ.update(environment)
        redirect(0, Path(os.devnull), os.O_RDONLY)
        for number, ending in ((1, "out"), (2, "err")):
            redirect(number, log.with_suffix(f".{ending}"), os.O_WRONLY | os.O_CREAT)
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        if plan is not None:
            install(plan)
        fork_instead_of_spawning()
        from bakeoff.cli import main

        code = main(list(words))
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


# ── processes ────────────────────────────────────────────────────────────────────────────────


def stat(pid: int) -> list[str]:
    """Return /proc/<pid>/stat from the state on; empty if the process is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] in "ZX" else fields


def processes() -> dict[int, list[str]]:
    """Return `stat` of all living processes."""
    found = {int(name): stat(int(name)) for name in os.listdir("/proc") if name.isdecimal()}
    return {pid: fields for pid, fields in found.items() if fields}


def children(pid: int) -> list[int]:
    """Return the living children of a process."""
    return [each for each, fields in processes().items() if int(fields[1]) == pid]


def session(leader: int) -> list[int]:
    """Return the living processes of a session."""
    return [each for each, fields in processes().items() if int(fields[3]) == leader]
