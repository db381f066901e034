"""What a Ray cluster costs and what one driver can do: the figures of docs/scale.md.

`python -m benchmarks.scale` measures on this machine, alone; it writes docs/scale.json and the
figures in docs/scale.md. `--small` does a little of everything, and writes nothing.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakeoff import recipe as recipes
from bakeoff.recipe import Recipe
from bakeoff.storage import formats, written_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create import prepare
from bakeoff.study.executors.choose import executor
from bakeoff.study.executors.interface import Lost, MovableJob
from bakeoff.study.jobs.job import TrainJob
from bakeoff.study.run import run
from bakeoff.study.status import status, table
from bakeoff.study.train_missing import train
from bakeoff.utils.events import EpochResult, OnEpoch, Planned, Watcher
from benchmarks.machine import REPOSITORY, load, machine, versions

PAGE, FIGURES = REPOSITORY / "docs" / "scale.md", REPOSITORY / "docs" / "scale.json"
BEGIN, END = "<!-- figures: made by python -m benchmarks.scale -->", "<!-- end of the figures -->"
PARTS = ("throughput", "driver")
PLACES = {"local": None, "Ray": "ray"}
_LONG = 6.5  # seconds of a trial for the overhead
_TRIED = 1_000  # epochs that are timed first, to know how many take so long
_SEEDS = 1_000  # of a model: a recipe may not declare more


def main() -> int:
    """Measure, print, and write down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a little of everything, or of a part")
    parser.add_argument(
        "--part", choices=PARTS, help="only this; of the other, what is known stays"
    )
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    os.environ["PYTHONPATH"] = str(REPOSITORY)  # a host imports this file, too
    os.environ.pop("RAY_ADDRESS", None)
    numbers = (20, 60) if given.small else (1_000, 10_000)
    known = json.loads(FIGURES.read_text(encoding="utf-8")) if given.part else {}
    today = datetime.now(UTC).date().isoformat()
    epochs = 40 if given.small else _epochs_of(_LONG)
    with tempfile.TemporaryDirectory(prefix="bakeoff-scale-") as place:
        os.environ["BAKEOFF_HOME"] = str(Path(place) / "home")
        found = {
            "machine": machine(),
            "versions": versions(),
            "ray": _ray_version(),
            "date": today,
            "dates": {
                part: today
                if given.part in (None, part)
                else known.get("dates", {}).get(part, known["date"])
                for part in PARTS
            },
            "load_before": load(),
            "throughput": known["throughput"]
            if given.part == "driver"
            else _throughput(
                Path(place), epochs, 1 if given.small else given.repeats, 2 if given.small else 4
            ),
            "driver": known["driver"]
            if given.part == "throughput"
            else [_driver(Path(place) / f"driver-{n}", n) for n in numbers],
        }
    text = "\n".join(page(found))
    sys.stdout.write(f"{text}\n")
    if not given.small:
        FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


def _ray_version() -> str:
    from importlib.metadata import version

    return version("ray")


# ── throughput ───────────────────────────────────────────────────────────────────────────────


def _recipe(*, epochs: int, seeds: int, models: int = 1) -> Recipe:
    layers = {"layers": [{"dense": 128}]}
    mapping = {
        "name": "scale",
        "data": "digits",
        "seeds": seeds,
        "baselines": [],
        "training": {"epochs": epochs, "batch_size": 32},
        "models": {f"mlp-{number}": layers for number in range(models)},
    }
    return recipes.parse(mapping, origin="scale", folder=Path.cwd())


class _Clock(Watcher):
    """When the first trial began, when its first epoch ended, when the last trial was done."""

    def __init__(self) -> None:
        self.begun: float | None = None
        self.trained: float | None = None
        self.done = 0.0

    def started(self, label: str, where: str | None = None) -> None:
        """Take the time of the first."""
        self.begun = self.begun or time.monotonic()

    def epoch(self, label: str, result: EpochResult) -> None:
        """Take the time of the first."""
        self.trained = self.trained or time.monotonic()

    def finished(self, label: str) -> None:
        """Take the time of the last."""
        self.done = time.monotonic()


def _timed(folder: Path, *, epochs: int, trials: int, workers: int, on: str | None) -> list[float]:
    """Return the seconds until the first epoch was heard of, and from then to the last trial."""
    clock, started = _Clock(), time.monotonic()
    run(
        _recipe(epochs=epochs, seeds=trials),
        out=folder,
        workers=workers,
        on=on,
        keep_sealed=True,
        watcher=clock,
    )
    first = clock.trained or started
    return [first - started, clock.done - first]


def _epochs_of(seconds: float) -> int:
    """Return how many epochs take one trial of the throughput so long on this machine."""
    with tempfile.TemporaryDirectory(prefix="bakeoff-scale-") as place:
        _, spent = _timed(Path(place) / "a", epochs=_TRIED, trials=1, workers=1, on=None)
    return max(round(seconds / spent * _TRIED), 1)


def _throughput(folder: Path, epochs: int, repeats: int, each: int) -> list[dict[str, Any]]:
    """Return, for 1 and 2 workers, the seconds of the same trials locally and on Ray, in turns.

    each : trials of a worker
    """
    rows = []
    for workers in (1, 2):
        trials = each * workers
        spent: dict[str, list[list[float]]] = {name: [] for name in PLACES}
        for repeat in range(repeats):
            for name, on in PLACES.items():
                place = folder / f"{name}-{workers}-{repeat}"
                spent[name].append(
                    _timed(place, epochs=epochs, trials=trials, workers=workers, on=on)
                )
        row: dict[str, Any] = {"workers": workers, "trials": trials, "repeats": repeats}
        for name in PLACES:
            row[f"{name} start"] = statistics.median(start for start, _ in spent[name])
            row[f"{name} seconds"] = statistics.median(seconds for _, seconds in spent[name])
        rows.append(row)
    return rows


# ── the driver ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class CopyJob(TrainJob):
    """A trial that trains nothing: it writes what a trial of another seed wrote."""

    content: tuple[tuple[str, bytes], ...] = ()

    def _train(self, on_epoch: OnEpoch) -> None:
        files = dict(self.content)
        document = json.loads(files["trial.json"]) | {"seed": self.seed, "model": self.model}
        files["trial.json"] = formats.canonical(document)
        folder = StudyFolder(self.study)
        target, partial = self.places(folder)
        written_folder.write_folder(target, files, scratch=partial / "finished")


def _content(folder: Path) -> tuple[tuple[str, bytes], ...]:
    """Return the files of a real trial."""
    _timed(folder, epochs=3, trials=1, workers=1, on=None)
    place = StudyFolder(folder).trial("mlp-0", 0)
    names = [path.name for path in place.iterdir() if path.name != written_folder.MANIFEST]
    return tuple((name, (place / name).read_bytes()) for name in sorted(names))


class _Memory(Watcher):
    """The driver's memory after each tenth of the trials."""

    def __init__(self) -> None:
        self.total, self.done = 0, 0
        self.bytes: list[int] = []
        self.first = 0.0

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Hear how many there are."""
        self.total = len(jobs)

    def finished(self, label: str) -> None:
        """Look at the memory."""
        self.first = self.first or time.monotonic()
        self.done += 1
        if self.done % max(self.total // 10, 1) == 0:
            self.bytes.append(_memory())


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _driver(folder: Path, trials: int) -> dict[str, Any]:
    """Return what a driver does with so many trials that take no time."""
    content = _content(folder / "one")
    watcher = _Memory()
    seeds = min(trials, _SEEDS)
    recipe = _recipe(epochs=3, seeds=seeds, models=trials // seeds)
    prepared = prepare(recipe, StudyFolder(folder / "study"), device="cpu")

    def copies(do: Callable[[Sequence[MovableJob]], list[Lost]]) -> Any:
        def copied(jobs: Sequence[MovableJob]) -> list[Lost]:
            return do([_copy(job, content) for job in jobs])

        return copied

    with executor(
        "ray",
        home=prepared.folder.path,
        workers=2,
        device="cpu",
        lanes=1,
        watcher=watcher,
    ) as place:
        lost = train(prepared, [], copies(place.run_jobs), watcher=watcher)
    seconds = time.monotonic() - watcher.first
    started = time.monotonic()
    now = status(prepared.folder.path)
    table(now)
    return {
        "trials": trials,
        "lost": len(lost),
        "finished": now.finished,
        "a_second": (trials - 1) / seconds,
        "memory_bytes": watcher.bytes,
        "open_seconds": time.monotonic() - started,
    }


def _copy(job: MovableJob, content: tuple[tuple[str, bytes], ...]) -> MovableJob:
    if not isinstance(job, TrainJob):
        return job
    values = {each.name: getattr(job, each.name) for each in fields(TrainJob)}
    return replace(CopyJob(**values), content=content)


# ── the page ─────────────────────────────────────────────────────────────────────────────────


def page(found: dict[str, Any]) -> list[str]:
    """Return the figures as Markdown."""
    known = found["machine"]
    lines = [
        f"{known['processor']}, {known['cores']} cores, Python {known['python']}, Ray "
        f"{found['ray']}, {_dates(found)}; load before: {found['load_before']:.1f}.",
        "",
        "| workers | trials | local | on Ray | overhead | start, local | start, on Ray |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in found["throughput"]:
        here, there = row["local seconds"], row["Ray seconds"]
        lines.append(
            f"| {row['workers']} | {row['trials']}, median of {row['repeats']} | {here:.1f} s | "
            f"{there:.1f} s | {100 * (there / here - 1):+.1f} % | {row['local start']:.1f} s | "
            f"{row['Ray start']:.1f} s |"
        )
    lines += [
        "",
        "Start: from the command to the first epoch, Ray's own start included; the seconds beside "
        "it are from there to the end of the last trial.",
        "",
        "| trials that take no time | a second | driver's memory after a tenth, half, all | the "
        "folder opens in |",
        "| --- | --- | --- | --- |",
    ]
    for row in found["driver"]:
        seen = row["memory_bytes"]
        chosen = [seen[0], seen[len(seen) // 2], seen[-1]] if seen else []
        memory = ", ".join(f"{each / 1e6:.0f}" for each in chosen)
        lines.append(
            f"| {row['finished']:,} of {row['trials']:,} | {row['a_second']:.0f} | {memory} MB | "
            f"{row['open_seconds']:.1f} s |"
        )
    return lines


def _dates(found: dict[str, Any]) -> str:
    dates = found["dates"]
    if len(set(dates.values())) == 1:
        return str(found["date"])
    return ", ".join(f"{part} {date}" for part, date in dates.items())


if __name__ == "__main__":
    from benchmarks import scale  # jobs travel by the name of their module, which is not __main__

    sys.exit(scale.main())
