"""The library's verbs: run a study, compare what is on disk, say how far it is.

`Study` is the recipe's Python face; `run` carries a recipe out and returns a Result.
"""

import multiprocessing as mp
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from bakeoff import recipe as recipes
from bakeoff.analysis.compare import compare as compare_folders
from bakeoff.errors import RecipeError, StudyError, TrialLost
from bakeoff.opening import open_test_set
from bakeoff.prepare import prepare
from bakeoff.recipe import Recipe
from bakeoff.result import Result
from bakeoff.schedule import lanes_of, train
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.utils.events import Watcher
from bakeoff.workers import Device, Job, Lost, run_jobs, warm_up


def run(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    seeds: int | None = None,
    only: Sequence[str] = (),
    workers: int | None = None,
    device: Device | None = None,
    keep_sealed: bool = False,
    watcher: Watcher | None = None,
) -> Result:
    """Train what is missing, open the test set, compare, write the report.

    Parameters
    ----------
    out : the study's folder; studies/<name> by default
    seeds : how many seeds (0, 1, …) instead of the recipe's
    only : names of models to train; with any, nothing is opened
    workers : processes; by default one for each core, one on a GPU
    device : "cpu" or "gpu"; by default a GPU where Bakeoff's gpu extra is installed
    keep_sealed : train everything, open nothing

    Raises
    ------
    UsageError, StorageError
    """
    watcher = watcher or Watcher()
    _require_outside_workers()
    recipe = _with_seeds(recipe, seeds)
    _require_models(recipe, only)
    device = device or default_device()
    folder = StudyFolder(out if out is not None else Path("studies") / recipe.name)
    size = _size(workers, device)
    prepared = prepare(recipe, folder, device=device, accepted=warm_up)
    for note in prepared.notes:
        watcher.note(note)

    def do(jobs: Sequence[Job]) -> list[Lost]:
        return run_jobs(jobs, workers=size, device=device, cache=_cache(), watcher=watcher)

    lanes = lanes_of(recipe) if device == "gpu" else 1
    lost = train(prepared, only, do, lanes=lanes, watcher=watcher)
    if only or keep_sealed or not folder.finished():
        return Result(folder, None, lost)

    def must_do(jobs: Sequence[Job]) -> None:
        failed = do(jobs)
        if failed:
            raise TrialLost(f"{failed[0].label} could not be tested: {failed[0].reason}")

    open_test_set(prepared, must_do, watcher=watcher)
    with folder.lock("study"):
        result = compare([folder], lost=lost).illustrated(prepared.data)
        result.write()
    return result


def compare(folders: Sequence[StudyFolder | str | Path], *, lost: Sequence[Lost] = ()) -> Result:
    """Compare finished studies from what is on disk; several if they share one test set."""
    places = [f if isinstance(f, StudyFolder) else StudyFolder(f) for f in folders]
    for place in places:
        place.require()
    return Result(places[0], compare_folders(places), tuple(lost))


@dataclass(frozen=True)
class TrialStatus:
    """How far a trial is: "finished", "begun" or "missing"."""

    model: str
    seed: int
    state: str


@dataclass(frozen=True)
class Status:
    """How far a study is."""

    folder: StudyFolder
    name: str
    trials: tuple[TrialStatus, ...]
    openings: int


def status(path: str | Path) -> Status:
    """Return how far the study in a folder is."""
    folder = StudyFolder(path)
    document = folder.read_study()
    recipe = folder.recorded_recipe(document)
    done = folder.finished()

    def state(model: str, seed: int) -> str:
        if seed in done.get(model, []):
            return "finished"
        return "begun" if folder.partial(model, seed).exists() else "missing"

    trials = [
        TrialStatus(model, seed, state(model, seed))
        for model in recipe.models
        for seed in sorted({*recipe.seeds, *done.get(model, [])})
    ]
    return Status(folder, recipe.name, tuple(trials), len(folder.openings()))


class Study:
    """A recipe in Python: the same words, the same job.

    >>> bakeoff.Study("mine", data="digits", models={"mlp": {"layers": [{"dense": 64}]}}).run()
    """

    def __init__(
        self,
        name: str,
        *,
        data: Any,
        models: Mapping[str, Any],
        seeds: int | Sequence[int] = 5,
        **settings: Any,
    ) -> None:
        mapping = {
            "name": name,
            "data": _plain(data),
            "models": _plain(models),
            "seeds": _plain(seeds),
            **_plain(settings),
        }
        self.recipe = recipes.parse(mapping, origin=name, folder=Path.cwd())

    @classmethod
    def from_recipe(cls, path_or_name: str | Path) -> "Study":
        """Return the study that a recipe's file, or a shipped recipe, declares."""
        study = cls.__new__(cls)
        study.recipe = recipes.load(path_or_name)
        return study

    def run(self, **options: Any) -> Result:
        """Carry the study out; the options are those of `bakeoff.study.run`."""
        if "watcher" not in options:
            from bakeoff.progress import progress

            with progress() as watcher:
                return run(self.recipe, watcher=watcher, **options)
        return run(self.recipe, **options)


def _plain(value: Any) -> Any:
    """Return what YAML would have given: lists for tuples, text for paths, builders by name."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(each) for each in value]
    if callable(value):
        return {"python": _reference(value)}
    return str(value) if isinstance(value, Path) else value


def _reference(builder: Any) -> str:
    """Return "file.py:name" of a function that workers can import from its file."""
    name = getattr(builder, "__qualname__", "")
    file = getattr(getattr(builder, "__code__", None), "co_filename", "")
    if not name.isidentifier() or not Path(file).is_file():
        raise RecipeError(
            "models: expected a function defined at the top of a Python file, found "
            f"{name or builder!r}: put it in a file, since worker processes import it from there"
        )
    return f"{Path(file).resolve()}:{name}"


# ── parts of run ─────────────────────────────────────────────────────────────────────────────


def _with_seeds(recipe: Recipe, seeds: int | None) -> Recipe:
    if seeds is None:
        return recipe
    if seeds < 1:
        raise RecipeError(f"--seeds: expected at least 1, found {seeds}")
    return recipe.model_copy(update={"seeds": tuple(range(seeds))})


def _require_outside_workers() -> None:
    """Refuse to run a study in a worker, which imports the file that a builder is in."""
    if mp.current_process().daemon:
        raise StudyError(
            "expected a builder's file that only defines things, found one that runs a study when "
            "it is imported: put `if __name__ == '__main__':` before the run, or the builder into "
            "another file"
        )


def _require_models(recipe: Recipe, only: Sequence[str]) -> None:
    for name in only:
        if name not in recipe.models:
            known = ", ".join(recipe.models)
            raise RecipeError(f"--only: expected a model of the recipe ({known}), found {name!r}")


def _size(workers: int | None, device: Device) -> int:
    if workers is not None and workers < 1:
        raise StudyError(f"--workers: expected at least 1, found {workers}")
    return workers or (1 if device == "gpu" else cores())


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def default_device() -> Device:
    """Return "gpu" where JAX's CUDA plugin is installed and a device is there, else "cpu"."""
    from importlib.util import find_spec

    plugged = find_spec("jax_cuda13_plugin") or find_spec("jax_cuda12_plugin")
    return "gpu" if plugged and Path("/dev/nvidiactl").exists() else "cpu"


def _cache() -> Path:
    return user_cache_path("bakeoff") / "programs"
