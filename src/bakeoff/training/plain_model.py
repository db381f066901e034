"""A trained model as Keras has it: Keras's own layers, pixels as stored in, probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import StudyError
from bakeoff.recipe import ModelRecipe
from bakeoff.training.backbones.in_network import AsSeen, Pretrained, as_keras
from bakeoff.training.backend import as_trained, keras
from bakeoff.training.build_model import build, frozen_layers
from bakeoff.training.initializers import Drawn, weights_set_later
from bakeoff.training.layers.graph import all_layers, has_its_own_call
from bakeoff.training.saved_weights import in_order
from bakeoff.training.stateless import variables

OURS = "bakeoff."


@as_trained()
def plain_model(
    model: ModelRecipe,
    weights: Sequence[Mapping[str, NDArray[Any]]],
    *,
    input_shape: tuple[int, int, int],
    n_classes: int,
    maximum: float,
    dtype: str = "uint8",
) -> keras.Model:
    """Return a Keras model that needs no Bakeoff: it scales pixels itself and has trained weights.

    Parameters
    ----------
    weights : of each seed, as a trial's weights.safetensors holds them; with several, the model's
        output is the mean of their probabilities
    input_shape : height, width, channels
    maximum : the pixel value that becomes 1.0
    dtype : of the pixels, as the data set stores them

    Raises
    ------
    StudyError
        If a layer exists only in the user's code.
    DataError
        If a frozen backbone's weights are not here.
    ValueError
        If the weights are not this model's.
    """
    inputs = keras.Input(input_shape, dtype=dtype, name="pixels")
    scaled = keras.layers.Rescaling(1.0 / maximum, name="scale")(inputs)
    if model.frozen_backbone is not None:  # one for all seeds
        for layer in frozen_layers(model, input_shape):
            scaled = _plain(layer, model.name)(scaled)
        scaled = keras.layers.Reshape((1, 1, int(scaled.shape[-1])), name="as_image")(scaled)
    networks = [
        _trained(model, each, input_shape, n_classes, number=number, among=len(weights))
        for number, each in enumerate(weights)
    ]
    if len(networks) > 1:
        outputs = keras.layers.Average(name="mean")([network(scaled) for network in networks])
    elif isinstance(networks[0], keras.Sequential):
        outputs = scaled
        for layer in networks[0].layers:  # one list of layers, for whoever reads its summary
            outputs = layer(outputs)
    else:
        outputs = networks[0](scaled)
    return keras.Model(inputs, outputs, name=_name(model.name))


def _name(text: str) -> str:
    return text.replace(".", "_").replace("-", "_")


def _trained(
    model: ModelRecipe,
    weights: Mapping[str, NDArray[Any]],
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    number: int,
    among: int,
) -> keras.Model:
    fast = build(model, input_shape, n_classes, seed=0)
    if has_its_own_call(fast):
        raise _own(type(fast).__name__, model.name)
    for value, variable in zip(in_order(weights, fast), variables(fast), strict=True):
        variable.assign(value)
    with weights_set_later():
        plain = keras.models.clone_model(
            fast, clone_function=lambda layer: _plain(layer, model.name)
        )
    own = {layer.name: layer for layer in plain.layers}
    for layer in fast.layers:  # by name: a clone may order what branches otherwise
        if layer.weights:
            _copy_weights(layer, own[layer.name])
    if among > 1:
        plain.name = f"{_name(model.name)}_{number}"
    return plain


def _copy_weights(source: Any, target: Any) -> None:
    target.set_weights([np.asarray(each) for each in source.weights])
    for layer in all_layers(target) if isinstance(target, keras.Model) else []:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it predicts with constants made of its weights


def _plain(layer: Any, model: str) -> Any:
    """Return a layer of Keras's own class, and with initializers that Keras knows."""
    if isinstance(layer, AsSeen):
        return as_keras(layer)
    if isinstance(layer, Pretrained):
        with weights_set_later():
            network = keras.models.clone_model(
                layer.network, clone_function=lambda each: _plain(each, model)
            )
        _copy_weights(layer.network, network)
        network.name = layer.name
        return network
    kind = keras_class(layer)
    if kind is None:
        raise _own(type(layer).__name__, model)
    if isinstance(layer, keras.Model):
        return keras.models.clone_model(layer, clone_function=lambda each: _plain(each, model))
    if kind is keras.layers.RandomCrop:  # Keras's own leaves scored images whole
        return keras.layers.CenterCrop(layer.height, layer.width, name=layer.name)
    activation = getattr(layer, "activation", None)
    if callable(activation) and not _is_keras_activation(activation):
        name = getattr(activation, "__name__", type(activation).__name__)
        raise _own(f"the activation {name}", model)
    config = {key: _known(value, layer, key) for key, value in layer.get_config().items()}
    if kind is keras.layers.Layer:  # an augmentation of ours that Keras does not have
        return keras.layers.Identity(name=layer.name)
    return kind.from_config(config)


def _own(what: str, model: str) -> StudyError:
    return StudyError(
        f"{model}: expected layers of Keras's own, found {what}, which only "
        "the code that defines it can build: use result.predict for this model"
    )


def _is_keras_activation(activation: Any) -> bool:
    """Say whether the activation that Keras has under the name that it saves is this one."""
    if isinstance(activation, keras.layers.Layer):
        return keras_class(activation) is not None
    values = np.linspace(-8, 8, 257, dtype=np.float32)[None]
    try:
        found = keras.activations.get(keras.activations.serialize(activation))
        return bool(np.allclose(found(values), activation(values), atol=1e-6))
    except Exception:  # a lambda, or some other name that Keras does not know
        return False


@as_trained()
def without_ours(
    model: ModelRecipe, input_shape: tuple[int, int, int], n_classes: int
) -> keras.Model:
    """Return a declared model of Keras's own layers, untrained; pixels are in [0, 1].

    What Keras does not have, or has otherwise, stays as it is.
    """

    def plain(layer: Any) -> Any:
        ours = keras_class(layer) in (keras.layers.Layer, keras.layers.RandomCrop)
        return layer if ours else _plain(layer, model.name)

    fast = build(model, input_shape, n_classes, seed=0)
    return keras.models.clone_model(fast, clone_function=plain)


class Call(NamedTuple):
    """One call of a layer; `inputs` are Keras's symbolic tensors, or constants."""

    layer: Any
    inputs: list[Any]
    output: Any


def calls_of(model: keras.Model) -> tuple[list[Call], Any]:
    """Return the calls of a functional model's layers in order, and the tensor that it puts out.

    Tensors are told apart by `id`, which holds as long as the calls are kept.
    """
    calls: list[Call] = []

    def call(layer: Any, *arguments: Any, **named: Any) -> Any:
        inputs = [each for each in keras.tree.flatten(arguments) if each is not None]
        calls.append(Call(layer, inputs, layer(*arguments, **named)))
        return calls[-1].output

    clone = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return calls, clone.outputs[0]


def keras_class(layer: Any) -> Any:
    """Return Keras's class of a layer; None where the layer is of the user's own class."""
    for kind in type(layer).__mro__:
        if kind.__module__.startswith("keras."):
            return kind
        if not kind.__module__.startswith(OURS):
            return None
    return None


def _known(value: Any, layer: Any, key: str) -> Any:
    """Return a configured value; a Bakeoff initializer as the Keras one that it draws like."""
    if not key.endswith("_initializer"):
        return value
    used = getattr(layer, key, None)
    return used.name if isinstance(used, Drawn) else value
