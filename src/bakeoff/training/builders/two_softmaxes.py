"""Whether a model ends in a softmax of a softmax."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras
from bakeoff.training.builders.user_builder import Predict, probes
from bakeoff.training.stateless import stateless_predict, values

_CLASS_BY_CLASS = tuple(  # layers that leave each class where it is
    getattr(keras.layers, name)
    for name in (
        *("Rescaling", "Normalization", "BatchNormalization", "LayerNormalization", "Activation"),
        *("UnitNormalization", "ReLU", "LeakyReLU", "PReLU", "ELU", "Dropout", "GaussianNoise"),
        *("GaussianDropout", "AlphaDropout", "ActivityRegularization", "Reshape", "Identity"),
    )
)
_ENLARGED, _CLOSE = (30.0, 1000.0), 1e-4  # weights' factors, probabilities

Shape = tuple[int, int, int]


def ends_in_two_softmaxes(
    model: keras.Model, predict: Predict, input_shape: Shape, n_classes: int
) -> bool:
    """Say whether what a model puts out went through two softmaxes, one after the other.

    predict : the model as a function of its variables, as `usable` gives it
    """
    certain = _certain_of_little(predict, values(model), n_classes)
    return certain or _softmax_twice(model, input_shape, n_classes)


def _certain_of_little(predict: Predict, weights: Any, n_classes: int) -> bool:
    """Say whether a model at its most certain still puts out no more than the softmax of a one-hot.

    Weights are enlarged until a softmax is certain; a second one turns its 1 into e/(e + n − 1).
    """
    little = np.e / (np.e + n_classes - 1)
    for factor in _ENLARGED:
        enlarged = jax.tree.map(partial(_times, factor), weights)
        if abs(np.asarray(predict(*enlarged)).max() - little) < _CLOSE:
            return True
    return False


def _times(factor: float, values: Any) -> Any:
    """Return weights times a factor; what is no weight, such as a seed, as it is."""
    if not jax.numpy.issubdtype(values.dtype, np.floating):
        return values
    return factor * np.asarray(values)  # by NumPy: JAX would compile a program for each shape


def _softmax_twice(model: keras.Model, input_shape: Shape, n_classes: int) -> bool:
    """Say whether the softmax at the end is one of a softmax of the classes.

    Told by what goes from layer to layer, not by their order: an attention's softmax, or that of
    another head, may be the layer before the last. What only scales or normalises the first one
    may stand between the two.
    """
    once: list[Any] = []
    twice: list[Any] = []
    ended: list[bool] = []
    call = keras.layers.Layer.__call__

    def listening(layer: keras.layers.Layer, *arguments: Any, **named: Any) -> Any:
        result = call(layer, *arguments, **named)
        again = bool(arguments) and any(arguments[0] is each for each in once)
        shape = getattr(result, "shape", ())  # an attention may give its weights, too
        if _is_softmax(layer) and shape[-1:] == (n_classes,):
            (twice if again else once).append(result)
        elif again and isinstance(layer, _CLASS_BY_CLASS):
            once.append(result)
        return result

    def ends_so(images: Any) -> None:
        outputs = stateless_predict(model, *values(model), images)
        ended.append(any(outputs is each for each in twice))

    with _every_call(listening):
        jax.eval_shape(ends_so, probes(input_shape))
    return ended[-1]


def _is_softmax(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.Softmax) or activation is keras.activations.softmax


@contextmanager
def _every_call(listening: Callable[..., Any]) -> Iterator[None]:
    """Let a function take the place of every layer's call: a subclassed model has no graph."""
    call = keras.layers.Layer.__call__
    keras.layers.Layer.__call__ = listening
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = call
