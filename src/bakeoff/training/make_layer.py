"""One declared layer as a Keras layer, or as the faster one in its place."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bakeoff.recipe import Layer
from bakeoff.recipe.vocabulary.words import LAYERS
from bakeoff.training.backend import keras
from bakeoff.training.initializers import Drawn
from bakeoff.training.layers.augmentation import Cutout
from bakeoff.training.layers.replace import FASTER, RANDOM

_LATER = {"pointwise_initializer": 1, "bias_initializer": 2}  # draws beside a layer's first
_OWN: dict[str, type] = {"Cutout": Cutout}  # what Keras does not have


def augmenting(layers: Sequence[Layer]) -> list[Any]:
    """Return layers that change images before a backbone."""
    return [
        make_layer(
            layer.kind,
            layer.arguments,
            name=f"before_{number}_{layer.kind}",
            index=1_000_000 + number,  # other draws than the layers after the backbone
            seed=0,
        )
        for number, layer in enumerate(layers, start=1)
    ]


def make_layer(kind: str, arguments: Mapping[str, Any], *, name: str, index: int, seed: int) -> Any:
    """Return Keras's layer of a kind, or the faster one; `index` and `seed` fix what it draws."""
    known = LAYERS[kind].__name__  # Keras's own name
    layer: Any = _OWN.get(known) or getattr(keras.layers, known)
    layer = FASTER.get(layer, layer)
    settings = {key: _argument(key, value, seed=seed) for key, value in arguments.items()}
    if layer in RANDOM:
        settings["index"] = index
    return layer(**settings, name=name)


def _argument(key: str, value: Any, *, seed: int) -> Any:
    """Return a Keras regularizer or a seeded initializer for its name; other values as they are."""
    if key.endswith("_regularizer") and value:
        return keras.regularizers.L1L2(l1=value.get("l1", 0.0), l2=value.get("l2", 0.0))
    if key.endswith("_initializer") and value not in ("zeros", "ones"):
        return Drawn(value, _seed_of(key, seed))
    return value


def _seed_of(key: str, seed: int) -> int:
    """Return a seed of its own for each of a layer's initializers; for the first, the layer's."""
    if key not in _LATER:
        return seed
    return int(np.random.SeedSequence([seed, _LATER[key]]).generate_state(1)[0])
