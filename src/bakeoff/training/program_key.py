"""What of a declared model its programs are compiled for; models that agree in it share them."""

from bakeoff.recipe import Layer, ModelRecipe, Optimizer, Training
from bakeoff.recipe.learning_rate import Phase

_SOME_RATE = Phase(kind="constant", start=0.001)
_SOME_OPTIMIZER = Optimizer(kind="sgd", learning_rate=(_SOME_RATE,))
_SOME_TRAINING = Training(epochs=1, batch_size=1, optimizer=_SOME_OPTIMIZER)


def program_key(model: ModelRecipe) -> str:
    """Return the key of a model's compiled programs: as JSON, what of it they are compiled for.

    Left out are its name, learning rates and dropout rates, which the programs are given, and when
    training ends.
    """
    training, layers = model.training, model.layers
    options = training.options.model_copy(update={"patience": None})
    training = training.model_copy(update={"options": options})
    if model.backbone is None or model.backbone.learning_rate is None:
        optimizer = training.optimizer.model_copy(update={"learning_rate": (_SOME_RATE,)})
        training = training.model_copy(update={"optimizer": optimizer, "epochs": 1})
    if layers is not None:
        layers = tuple(map(_with_some_dropout, layers))
    update = {"name": "", "training": training, "layers": layers}
    return model.model_copy(update=update).model_dump_json()


def prediction_key(model: ModelRecipe) -> str:
    """Return the key of a model's program that only predicts: that of any training."""
    return program_key(model.model_copy(update={"training": _SOME_TRAINING}))


def _with_some_dropout(layer: Layer) -> Layer:
    inner, arguments = tuple(map(_with_some_dropout, layer.layers)), layer.arguments
    if layer.kind == "dropout" and arguments["rate"] > 0:
        arguments = {**arguments, "rate": 0.5}
    return layer.model_copy(update={"arguments": arguments, "layers": inner})
