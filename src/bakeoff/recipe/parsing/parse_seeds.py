"""Reading a recipe's `seeds`: a number, a list, or the looks at the test set that it declares."""

from collections.abc import Mapping

from bakeoff.recipe.parsing.parse_split import SEED, SEED_COUNT
from bakeoff.recipe.parsing.problems import inside
from bakeoff.recipe.value_kinds import Misfit, Whole, found, key_text

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
            raise Misfit("unknown key; known: looks", inside=f".{key_text(key)}")
    looks = raw.get("looks")
    given = looks if isinstance(looks, list | tuple) else [looks]
    read = [inside(f".looks[{k}]", LOOK.read, each) for k, each in enumerate(given, 1)]
    if not LOOKS.low <= len(read) <= LOOKS.high or read != sorted(set(read)):
        raise Misfit(
            f"expected {LOOKS.low} to {LOOKS.high} different numbers of seeds, ascending, such as "
            f"[5, 10, 20], found {found(looks) if len(read) < LOOKS.low else read}",
            inside=".looks",
        )
    return tuple(read)
