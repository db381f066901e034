"""A search of three choices whose settings are made up."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bakeoff.analysis.tuning import Searched
from bakeoff.recipe.search_space import dimensions
from bakeoff.storage.search_folder import Tried

SPACE: dict[str, Any] = {
    "training": {"optimizer": {"adam": {"learning_rate": {"log": [0.0001, 0.1]}}}},
    "layers": [{"dense": {"units": {"whole": [8, 64]}}}, {"dropout": {"uniform": [0, 0.5]}}],
}
RATE, UNITS, DROP = (each.place for each in dimensions(SPACE))


def _at(number: int) -> dict[str, float | int]:
    """Return a setting, another for every number."""
    return {RATE: 0.003, UNITS: 30, DROP: 0.2 + number / 1000}


def searched_of(
    accuracies: Sequence[float],
    *,
    values: Callable[[int], Mapping[Any, Any]] | None = None,
    chosen: int = 0,
    **changes: Any,
) -> Searched:
    """Return a search whose settings came to these validation accuracies."""
    tried = tuple(
        Tried(k, {**_at(k), **({DROP: 0.2, **values(k)} if values else {})}, state="done",
              accuracy=accuracy, cross_entropy=1 - accuracy, epochs=5, seconds=60.0)
        for k, accuracy in enumerate(accuracies)
    )  # fmt: skip
    known: dict[str, Any] = {
        "model": "mlp",
        "dimensions": dimensions(SPACE),
        "budget": {"settings": len(tried), "sampler": "random", "pruning": "none", "seed": 0},
        "tried": tried,
        "chosen": tried[chosen],
        "seconds": 60.0 * len(tried),
        "as_good": 0,
        "edges": (),
    }
    return Searched(**{**known, **changes})
