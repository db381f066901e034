"""The processes of one contestant in one arrangement, told what to do all at once."""

import json
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from bakeoff.errors import BakeoffError
from benchmarks.contestants import REPOSITORY, Arrangement, Contestant, Settings

PATIENCE = 1800.0  # seconds that an order may take
Answer = dict[str, Any]


class DroppedOut(BakeoffError):
    """A contestant's process died, or did not answer."""


class Group:
    """Processes that wait, warm and idle, until they are told to train.

    `log` is a file for what they print; each process has its own, numbered by its seed. The task is
    that of the first process, whose seed is `first`; each of the others has the next seed.
    """

    def __init__(
        self,
        contestant: Contestant,
        arrangement: Arrangement,
        task: dict[str, Any],
        *,
        log: Path,
        first: int = 0,
    ) -> None:
        self.contestant, self.arrangement = contestant, arrangement
        log.parent.mkdir(parents=True, exist_ok=True)
        self._processes: list[subprocess.Popen[str]] = []
        self._logs: dict[int, Path] = {}
        for seed in range(first, first + arrangement.processes):
            own = log.with_name(f"{log.stem}.{seed}{log.suffix}")
            with own.open("a", encoding="utf-8") as errors:
                process = self._start(errors)
            self._processes.append(process)
            self._logs[process.pid] = own
            self._say(process, {**task, "seed": seed, "threads": arrangement.threads})

    def _start(self, errors: IO[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.contestant.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=REPOSITORY,
            env=self.contestant.environment(self.arrangement.threads),
        )

    def order(self, **what: Any) -> list[Answer]:
        """Give all processes an order at once and return their answers when all are done.

        Raises
        ------
        DroppedOut
            If a process has died or takes longer than PATIENCE.
        """
        for process in self._processes:
            self._say(process, what)
        end = time.monotonic() + PATIENCE
        return [self._hear(process, end) for process in self._processes]

    def prepare(self, settings: Settings, *, images: int) -> tuple[int, float]:
        """Build the model and train over `images` images, unmeasured.

        Returns
        -------
        The parameters of the model, and the seconds that all of it took.
        """
        started = time.monotonic()
        answers = self.order(do="prepare", settings=settings)
        self.train(images=images, epochs=1)
        return answers[0]["parameters"], time.monotonic() - started

    def train(self, *, images: int | None, epochs: int) -> Answer:
        """Train in all processes; the slowest one's seconds, everybody's steps."""
        answers = self.order(do="train", images=images, epochs=epochs)
        return together(answers)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()

    def _say(self, process: "subprocess.Popen[str]", what: dict[str, Any]) -> None:
        if process.stdin is None:
            raise ValueError("expected a pipe to the process")
        try:
            process.stdin.write(json.dumps(what) + "\n")
            process.stdin.flush()
        except OSError as error:
            raise self._dropped_out(process, "died") from error

    def _hear(self, process: "subprocess.Popen[str]", end: float) -> Answer:
        if process.stdout is None:
            raise ValueError("expected a pipe from the process")
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise self._dropped_out(process, f"did not answer for {PATIENCE:.0f} seconds")
        line = process.stdout.readline()
        if not line.endswith("\n"):
            raise self._dropped_out(process, "died")
        answer: Answer = json.loads(line)
        return answer

    def _dropped_out(self, process: "subprocess.Popen[str]", what: str) -> DroppedOut:
        log = self._logs[process.pid]
        last = [line.strip() for line in log.read_text(errors="replace").splitlines()]
        why = next((line for line in reversed(last) if line), "it printed nothing")
        return DroppedOut(f"{self.contestant.label} {what}: {why} (all of it in {log})")


def together(answers: list[Answer]) -> Answer:
    """Return what processes did together.

    seconds of the slowest; steps and other work added up; memory and what else they say, of all.
    """
    added = {"steps", "large_per_second"}
    largest = {"seconds", "peak_bytes"}
    found: Answer = {}
    for name, value in answers[0].items():
        values = [answer[name] for answer in answers]
        found[name] = sum(values) if name in added else max(values) if name in largest else value
    return found
