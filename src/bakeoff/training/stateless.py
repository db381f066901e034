"""A Keras model as a function of its variables' values: what JAX traces, compiles and follows."""

from typing import Any

from bakeoff.training.backend import keras

Array = Any


def training_argument(model: keras.Model, *, training: bool) -> dict[str, bool]:
    """Return what tells a model's `call` whether it trains: nothing where it does not take that.

    Keras's own `fit` does the same, so that dropout in such a model does nothing there either.
    """
    return {"training": training} if model._call_has_training_arg else {}


def variables(model: keras.Model) -> list[Any]:
    """Return a model's variables, the trainable ones first."""
    return [*model.trainable_variables, *model.non_trainable_variables]


def values(model: keras.Model) -> tuple[list[Array], list[Array]]:
    """Return the values of a model's trainable variables, and of the others."""
    trainable, others = model.trainable_variables, model.non_trainable_variables
    return [each.value for each in trainable], [each.value for each in others]


def stateless_predict(model: keras.Model, trainable: Any, others: Any, images: Array) -> Array:
    """Return what a model puts out for images while it does not train.

    trainable, others : arrays in the place of its variables, as `values` has them
    """
    judging = training_argument(model, training=False)
    return model.stateless_call(trainable, others, images, **judging)[0]
