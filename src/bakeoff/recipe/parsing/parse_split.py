"""Reading how a recipe divides the images: one split, or folds and their repeats."""

from collections.abc import Mapping
from typing import Any

from bakeoff.data.split import Part
from bakeoff.recipe.outline import MOST_SEEDS
from bakeoff.recipe.parsing.problems import Problems, known_keys
from bakeoff.recipe.types import SplitRecipe
from bakeoff.recipe.value_kinds import Misfit, Whole, as_number, as_whole, found, inside, key_text

SEED = Whole(0, 2**31 - 1)
SEED_COUNT = Whole(1, MOST_SEEDS)
FOLDS = Whole(2, 100)
REPEATS = 5  # where folds are asked for without their number


def read_split(raw: object, problems: Problems) -> SplitRecipe:
    """Read {validation, test, seed} or {folds, repeats, validation, seed}."""
    if not isinstance(raw, Mapping):
        raise Misfit(
            f"expected keys such as {{validation: 0.2, test: 0.2, seed: 0}}, found {found(raw)}"
        )
    known_keys(raw, ("validation", "test", "seed", "folds", "repeats"), "split", problems)
    values: dict[str, Any] = {}
    readers = (
        ("validation", read_part),
        ("test", read_amount),
        ("seed", SEED.read),
        ("folds", FOLDS.read),
    )
    for key, read in readers:
        if raw.get(key) is not None:
            values[key] = inside(f".{key}", read, raw[key])
    split = SplitRecipe.model_validate(values)
    if split.folds is None and raw.get("repeats") is not None:
        raise Misfit("expected folds beside repeats, found none: write {folds: 5, repeats: 5}")
    if split.folds is not None and raw.get("test") is not None:
        raise Misfit(
            "expected either folds or test, found both: with folds every image is tested once a "
            "repeat; leave test out"
        )
    if split.folds is not None and split.validation.taken != "stratified":
        raise Misfit(
            f"expected validation as a count or a fraction beside folds, found "
            f"{split.validation.taken}: it is drawn from the training folds",
        )
    return split


def read_repeats(split: Mapping[Any, Any]) -> tuple[int, ...]:
    """Read the number of repeats beside split.folds: the seeds that they are trained with."""
    raw = split.get("repeats")
    repeats = REPEATS if raw is None else SEED_COUNT.read(raw)
    return tuple(range(repeats))


def read_part(raw: object) -> Part:
    """Read the validation part: a count, a fraction, {first: …}, {last: …}, or 0 for none."""
    if isinstance(raw, Mapping):
        if len(raw) != 1 or next(iter(raw)) not in ("first", "last"):
            keys = ", ".join(key_text(key) for key in raw) or "nothing"
            raise Misfit(
                f"expected a count, a fraction, {{first: amount}} or {{last: amount}}, found {keys}"
            )
        taken, amount = next(iter(raw.items()))
        return Part(inside(f".{taken}", read_amount, amount), taken)
    if as_number(raw) == 0:
        return Part(0)
    return Part(read_amount(raw))


def read_amount(raw: object) -> int | float:
    """Read a count of images (a whole number) or a fraction of them."""
    count = as_whole(raw)
    if count is not None and 1 <= count < 10**9:
        return count
    share = as_number(raw)
    if share is None or not 0 < share < 1:
        raise Misfit(
            f"expected a count of at least 1 or a fraction above 0 and below 1, found {found(raw)}"
        )
    return share
