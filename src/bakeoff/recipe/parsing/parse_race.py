"""Reading a recipe's `race`: after how many seeds models that are clearly worse may be dropped."""

from collections.abc import Mapping

from bakeoff.recipe.parsing.parse_seeds import read_ascending
from bakeoff.recipe.parsing.problems import Problems
from bakeoff.recipe.types import Race, Recipe
from bakeoff.recipe.value_kinds import Misfit, Whole, found, inside, unknown_key

AFTER = Whole(3, 1000)  # two seeds are too few to drop a model: luck alone would do it
LOOKS = Whole(1, 10)


def read_race(raw: object) -> Race:
    """Read {after: [3, 5]}."""
    example = "{after: [3, 5]}"
    if not isinstance(raw, Mapping) or not raw:
        raise Misfit(f"expected a race such as {example}, found {found(raw)}")
    for key in raw:
        if key != "after":
            raise unknown_key(key, ("after",))
    return Race(after=inside(".after", read_ascending, raw["after"], AFTER, LOOKS, "[3, 5]"))


def check_race(race: Race, recipe: Recipe, problems: Problems) -> None:
    """Note what in a recipe does not go with its race."""
    if recipe.split.folds is not None:
        text = "expected none beside split.folds, found one: a race takes one split; remove it"
        problems.add("race", text)
    elif not recipe.split.validation.amount:
        text = "expected validation images, on which a race looks, found split.validation 0"
        problems.add("race", f"{text}: give some")
    seeds, last = len(recipe.seeds), race.after[-1]
    if last >= seeds:
        problems.add(
            "race.after",
            f"expected fewer than the {seeds} seeds of the study, found {last}: "
            "with all seeds trained nothing is left to save",
        )
    elif recipe.looks and last > recipe.looks[0]:
        problems.add(
            "race.after",
            f"expected at most the {recipe.looks[0]} seeds of the first look at the test set, "
            f"found {last}: a model that was tested is not dropped",
        )
