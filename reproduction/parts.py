"""The studies of the reproduction: recipe, models and seeds of each; training and opening them.

A study has one list of seeds for all its models, so a document with both cheap and dear models is
split into two studies on one test set, which are compared together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff import recipe as recipes
from bakeoff.errors import StudyError, TrialLost
from bakeoff.recipe import Recipe
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.run import run
from bakeoff.utils.events import Watcher

HERE = Path(__file__).parent
ROOT = HERE.parent / "studies" / "reproduction"


@dataclass(frozen=True)
class Part:
    """A study to train: `models` of a recipe (all of them if none is named) with so many seeds."""

    name: str
    recipe: str
    seeds: int
    models: tuple[str, ...] = ()

    def declared(self) -> Recipe:
        """Return the recipe with these models, under the part's name."""
        path = HERE / f"{self.recipe}.yaml"
        recipe = recipes.load(path if path.is_file() else self.recipe)
        models = {name: recipe.models[name] for name in self.models or recipe.models}
        return recipe.model_copy(update={"name": self.name, "models": models})


_DENSE = ("dense", "dense-dropout")
PARTS = (
    Part("notebook-000", "notebook-000", 5),
    Part("honest-000", "honest-000", 5),
    Part("notebook-001-mlp", "notebook-001", 5, _DENSE),
    Part("notebook-001-cnn", "notebook-001", 3, ("cnn",)),
    Part("honest-001-mlp", "honest-001", 5, _DENSE),
    Part("honest-001-cnn", "honest-001", 3, ("cnn",)),
    Part("notebook-002", "notebook-002", 5),
    Part("honest-002", "honest-002", 5),
    Part("notebook-003-mlp", "notebook-003", 5, ("fashion-mlp",)),
    Part("notebook-003-cnn", "notebook-003", 3, ("fashion-cnn",)),
    Part("honest-003-mlp", "honest-003", 5, ("fashion-mlp",)),
    Part("honest-003-cnn", "honest-003", 2, ("fashion-cnn",)),
    Part("notebook-004", "notebook-004", 5),
    Part("honest-004", "honest-004", 5),
    Part("dead", "dead", 3),
    Part("mnist-best", "mnist-best", 5),
    Part("mnist-mlp-best", "mnist-mlp-best", 5),
    Part("fashion-best", "fashion-best", 3),
)


def named(names: Sequence[str]) -> tuple[Part, ...]:
    """Return the parts of these names, or of these recipes; all of them if none is named."""
    chosen = tuple(part for part in PARTS if not names or {part.name, part.recipe} & set(names))
    known = {name for part in PARTS for name in (part.name, part.recipe)}
    for name in names:
        if name not in known:
            parts = ", ".join(part.name for part in PARTS)
            raise StudyError(f"expected a part of the reproduction ({parts}), found {name!r}")
    return chosen


def folders(recipe: str, root: Path = ROOT) -> tuple[list[StudyFolder], list[Part]]:
    """Return the opened studies of a recipe, and the parts of it that are still sealed."""
    parts = [part for part in PARTS if part.recipe == recipe]
    places = {part: StudyFolder(root / part.name) for part in parts}
    opened = [place for place in places.values() if place.exists() and place.openings()]
    return opened, [part for part, place in places.items() if place not in opened]


def missing(part: Part, root: Path = ROOT) -> list[str]:
    """Return the trials that are planned or declared and not finished: "cnn seed 2"."""
    place = StudyFolder(root / part.name)
    wanted = {(model, seed) for model in part.declared().models for seed in range(part.seeds)}
    if place.exists():
        begun = recipes.load(place.recipe_file)
        wanted |= {(model, seed) for model in begun.models for seed in begun.seeds}
    done = {(model, seed) for model, seeds in place.finished().items() for seed in seeds}
    return [f"{model} seed {seed}" for model, seed in sorted(wanted - done)]


def train(
    part: Part,
    *,
    seeds: int | None = None,
    workers: int | None = None,
    root: Path = ROOT,
    watcher: Watcher,
) -> None:
    """Train what a part lacks and leave its test set sealed; `seeds` instead of the planned."""
    count = part.seeds if seeds is None else seeds
    result = run(
        part.declared(),
        out=root / part.name,
        seeds=count,
        workers=workers,
        keep_sealed=True,
        watcher=watcher,
    )
    if result.lost:
        raise TrialLost(
            f"{part.name}: {result.lost[0].label} was lost: {result.lost[0].reason}; the same "
            "command tries it once more"
        )


def open_part(
    part: Part, *, root: Path = ROOT, watcher: Watcher, run: Callable[..., object] = run
) -> None:
    """Open the test set of a part whose trials are all there; once opened, this does nothing.

    Raises
    ------
    StudyError
        If a trial is missing: a test set is opened once, and not for half a study.
    """
    lacking = missing(part, root)
    if lacking:
        raise StudyError(
            f"{part.name}: expected all trials before its test set is opened, found "
            f"{len(lacking)} missing ({lacking[0]}): python -m reproduction train {part.name}"
        )
    run(part.declared(), out=root / part.name, seeds=part.seeds, watcher=watcher)
