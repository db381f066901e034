"""Reading a recipe's `race`: after how many seeds models that are clearly worse may be dropped."""

from collections.abc import Mapping

from bakeoff.recipe.parsing.problems import Problems, inside
from bakeoff.recipe.types import Race, Recipe
from bakeoff.recipe.value_kinds import Misfit, Whole, found, key_text

AFTER = Whole(3, 1000)  # two seeds are too few to drop a model: luck alone would do it
MOST_LOOKS = 10


def read_race(raw: object) -> Race:
    """Read {after: [3, 5]}."""
    example = "{after: [3, 5]}"
    if not isinstance(raw, Mapping) or not raw:
        raise Misfit(f"expected a race such as {example}, found {found(raw)}")
    for key in raw:
        if key != "after":
            raise Misfit("unknown key; known: after", inside=f".{key_text(key)}")
    after = raw["after"]
    if not isinstance(after, list | tuple):
        after = [after]
    looks = [inside(f".after[{k}]", AFTER.read, each) for k, each in enumerate(after, 1)]
    if not 1 <= len(looks) <= MOST_LOOKS or looks != sorted(set(looks)):
        raise Misfit(
            f"expected 1 to {MOST_LOOKS} different numbers of seeds, ascending, such as [3, 5], "
            f"found {found(after) if len(looks) < 2 else looks}",
            inside=".after",
        )
    return Race(after=tuple(looks))


def check_race(recipe: Recipe, problems: Problems) -> None:
    """Note what does not go with a race."""
    if recipe.split.folds is not None:
        text = "expected none beside split.folds, found one: a race takes one split; remove it"
        problems.add("race", text)
    elif not recipe.split.validation.amount:
        text = "expected validation images, on which a race looks, found split.validation 0"
        problems.add("race", f"{text}: give some")
    seeds = len(recipe.seeds)
    if recipe.race is not None and recipe.race.after[-1] >= seeds:
        problems.add(
            "race.after",
            f"expected fewer than the {seeds} seeds of the study, found {recipe.race.after[-1]}: "
            "with all seeds trained nothing is left to save",
        )
    elif recipe.race is not None and recipe.looks and recipe.race.after[-1] > recipe.looks[0]:
        problems.add(
            "race.after",
            f"expected at most the {recipe.looks[0]} seeds of the first look at the test set, "
            f"found {recipe.race.after[-1]}: a model that was tested is not dropped",
        )
