"""All layers by name, in the order in which the documentation lists them; layers in words."""

from collections.abc import Mapping
from typing import Any

from bakeoff.recipe.vocabulary.augmentation import AUGMENTATION
from bakeoff.recipe.vocabulary.layer import Declared, said
from bakeoff.recipe.vocabulary.layers import LAYERS as KERAS_LAYERS

LAYERS: Declared = {**KERAS_LAYERS, **AUGMENTATION}


def layer_words(kind: str, arguments: Mapping[str, Any] | None = None) -> str:
    """Return a layer in a few words: "conv2d 32 3×3 relu", "max_pooling2d 2".

    arguments : as a recipe or a study holds them; where this version does not know the kind or its
        arguments, nothing is said but the name
    """
    known = LAYERS.get(kind)
    try:
        return said(kind, known.model_validate(dict(arguments or {})) if known else None)
    except ValueError:
        return kind
