"""The stages of a study: train these seeds of every model, then decide something, then the next.

`run` walks them; which models are still in at each is not known beforehand.
"""

from dataclasses import dataclass

from bakeoff.recipe import Recipe


@dataclass(frozen=True)
class Stage:
    """Some seeds more of every model that is still in, and what follows when they are trained.

    seeds : all so far, those of earlier stages included
    race : whether models may be dropped then, on validation
    opens : whether the test set may be opened then
    """

    seeds: tuple[int, ...]
    race: bool = False
    opens: bool = False


def stages(recipe: Recipe) -> tuple[Stage, ...]:
    """Return a recipe's stages in order; the last has all seeds and opens the test set."""
    seeds = tuple(sorted(recipe.seeds))
    races = [after for after in (recipe.race.after if recipe.race else ()) if after < len(seeds)]
    return tuple(
        Stage(seeds[:end], race=end in races, opens=end == len(seeds))
        for end in sorted({*races, len(seeds)})
    )
