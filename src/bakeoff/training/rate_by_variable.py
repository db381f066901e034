"""Lets a Keras optimizer change some variables at a share of its learning rate."""

from collections.abc import Sequence
from typing import Any

from bakeoff.recipe import ModelRecipe
from bakeoff.training.backend import keras


def slow_down_backbone(optimizer: Any, recipe: ModelRecipe, network: Any) -> None:
    """Make a built optimizer change a fine-tuned backbone at that one's own learning rate."""
    backbone, training = recipe.backbone, recipe.training
    if backbone is None or not backbone.trains or backbone.learning_rate is None:
        return
    highest = float(training.optimizer.learning_rates(training.epochs).max())
    slow = network.get_layer("backbone").trainable_variables
    rate_by_variable(optimizer, slow, backbone.learning_rate / highest)


def rate_by_variable(optimizer: Any, slow: Sequence[Any], share: float) -> None:
    """Make a built optimizer take `share` of its learning rate for the variables `slow`, in place.

    Two optimizers, one with the smaller rate for these variables, would change them equally, weight
    decay included; gradients are clipped together, as with one.
    """
    if not slow or share == 1.0:
        return
    slowly = {id(variable) for variable in slow}
    update = optimizer.update_step

    def rate_of(variable: Any, rate: Any) -> Any:
        return rate * share if id(variable) in slowly else rate

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> Any:
        return update(gradient, variable, rate_of(variable, learning_rate))

    def apply_weight_decay(variables: Sequence[Any]) -> None:
        """Do what Keras does, which takes one rate for all."""
        if optimizer.weight_decay is None:
            return
        for variable in variables:
            if optimizer._use_weight_decay(variable):
                rate = rate_of(variable, optimizer.learning_rate)
                decay = keras.ops.cast(optimizer.weight_decay * rate, variable.dtype)
                variable.assign(variable - variable * decay)

    optimizer.update_step = update_step
    optimizer._apply_weight_decay = apply_weight_decay
