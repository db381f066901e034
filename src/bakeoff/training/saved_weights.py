"""A model's weights as a trial keeps them: their names, and saved ones in the model's order."""

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from bakeoff.training.stateless import variables


def weight_names(network: Any) -> list[str]:
    """Return the names under which a model's weights are saved, trainable ones first."""
    own = variables(network)
    return [f"{index:03d}.{_uncounted(each.name)}" for index, each in enumerate(own)]


def in_order(weights: Mapping[str, NDArray[Any]], network: Any) -> list[NDArray[Any]]:
    """Return saved weights as a model has them, trainable ones first.

    Raises ValueError if they are not this model's.
    """
    own_shapes = [tuple(each.shape) for each in variables(network)]
    shapes = dict(zip(weight_names(network), own_shapes, strict=True))
    saved = {_uncounted(name): value for name, value in weights.items()}
    if {name: value.shape for name, value in saved.items()} != shapes:
        raise ValueError("these weights are of another model")
    return [saved[name] for name in shapes]


def _uncounted(name: str) -> str:
    """Return a name without numbers: Keras counts the layers and variables of a process.

    Layers of the user's own call weights after themselves, or give them no name.
    """
    return re.sub(r"_\d+", "", name)
