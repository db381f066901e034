"""The stages of a study: in each, some seeds of every model are trained, then something is decided.

`run` carries them out; which models are left at each is not known beforehand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.recipe import Recipe
from bakeoff.storage.declared_looks import planned_openings
from bakeoff.utils.text import counted, listed


@dataclass(frozen=True)
class Stage:
    """The seeds that every model still in the study has after it, and what follows then.

    seeds : those of earlier stages included
    race : whether models may be dropped then, on validation
    opens : whether the test set may be opened then
    """

    seeds: tuple[int, ...]
    race: bool = False
    opens: bool = False


def stages(recipe: Recipe) -> tuple[Stage, ...]:
    """Return a recipe's stages in order; the declared looks open the test set, or the last."""
    seeds = tuple(sorted(recipe.seeds))
    looks = recipe.looks or (len(seeds),)
    races = [after for after in (recipe.race.after if recipe.race else ()) if after < len(seeds)]
    return tuple(
        Stage(seeds[:end], race=end in races, opens=end in looks)
        for end in sorted({*races, *looks})
    )


def stages_left(recipe: Recipe, ledger: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return the stages from the newest declared look on: those before it are done with."""
    planned, every = planned_openings(ledger), stages(recipe)
    if not recipe.looks or planned.after != recipe.looks or planned.kept < 2:
        return every
    newest = recipe.looks[planned.kept - 1]
    return tuple(stage for stage in every if len(stage.seeds) >= newest)


def sizes(recipe: Recipe) -> tuple[int, int, int]:
    """Return how many seeds, models and declared looks there are."""
    return len(recipe.seeds), len(recipe.models), len(recipe.looks)


def seeds_in_words(recipe: Recipe) -> str:
    """Return what is trained of each model: "5 seeds", "5 repeats of 5 folds"."""
    if recipe.split.folds:
        return f"{counted(len(recipe.seeds), 'repeat')} of {recipe.split.folds} folds"
    seeds = counted(len(recipe.seeds), "seed")
    said = []
    if recipe.looks:
        said.append(f"looks after {listed(map(str, recipe.looks))}")
    if recipe.race:
        said.append(f"a race after {listed(map(str, recipe.race.after))}")
    return f"up to {seeds} ({', '.join(said)})" if said else seeds
