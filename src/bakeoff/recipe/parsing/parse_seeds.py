"""Reading a recipe's `seeds`: a number, a list, or the looks at the test set that it declares."""

from collections.abc import Mapping

from bakeoff.recipe.parsing.parse_split import SEED, SEED_COUNT
from bakeoff.recipe.value_kinds import Misfit, Whole, found, inside, unknown_key

LOOK = Whole(3, SEED_COUNT.high)  # below 3 seeds there is no verdict
LOOKS = Whole(2, 10)


def read_seeds(raw: object) -> tuple[int, ...]:
    """Read a number of seeds (0, 1, …) or a list of different seeds."""
    if isinstance(raw, list | tuple):
        seeds = [inside(f"[{number}]", SEED.read, each) for number, each in enumerate(raw, 1)]
        if not 1 <= len(seeds) <= SEED_COUNT.high or len(set(seeds)) < len(seeds):
            twice = next((seed for seed in seeds if seeds.count(seed) > 1), None)
            have = found(raw) if twice is None else f"{twice} twice"
            raise Misfit(f"expected 1 to {SEED_COUNT.high:,} different seeds, found {have}")
        return tuple(seeds)
    try:
        return tuple(range(SEED_COUNT.read(raw)))
    except Misfit as misfit:
        raise Misfit(f"{misfit}; a list of seeds is the other form") from None


def read_looks(raw: Mapping[object, object]) -> tuple[int, ...]:
    """Read {looks: [5, 10, 20]}: after how many seeds of each model the test set is opened."""
    for key in raw:
        if key != "looks":
            raise unknown_key(key, ("looks",))
    return inside(".looks", read_ascending, raw.get("looks"), LOOK, LOOKS, "[5, 10, 20]")


def read_ascending(raw: object, each: Whole, count: Whole, example: str) -> tuple[int, ...]:
    """Read a list of ascending numbers of seeds, or one number.

    each : what a number may be
    count : how many numbers there may be
    """
    given = raw if isinstance(raw, list | tuple) else [raw]
    read = [inside(f"[{number}]", each.read, one) for number, one in enumerate(given, 1)]
    if not count.low <= len(read) <= count.high or read != sorted(set(read)):
        raise Misfit(
            f"expected {count.low} to {count.high} different numbers of seeds, ascending, such as "
            f"{example}, found {found(raw) if len(read) < count.low else read}"
        )
    return tuple(read)
