"""What Keras users write in a recipe and Bakeoff says otherwise: the sentence that helps."""

from collections.abc import Iterable, Mapping

_OPTIMIZER = "write it under the optimizer, as in optimizer: {adam: {learning_rate: 0.001}}"
_BEST = (
    "selection: best-loss keeps the epoch of the lowest validation loss; patience: 5 stops early"
)
_LOSS = (
    "the loss is the cross-entropy of the classes; leave it out (label smoothing is "
    "training: {label_smoothing: 0.1})"
)
_METRICS = "accuracy, loss, F1 and more are always measured; leave it out"
_SPLIT = "write it under split, as in split: {validation: 0.2}"
_TRAINING = "write it under training, as in training: {epochs: 20}"
_SOFTMAX = "Bakeoff adds the softmax output itself; leave it out"
_AUGMENT = (
    "write it among the model's layers, as in layers: [{random_flip: horizontal}, {cutout: 8}]"
)
_EMA = "write it under the optimizer, as in optimizer: {adam: {use_ema: true}}"
_CLIP = "write it under the optimizer, as in optimizer: {adam: {clipnorm: 1}}"
_PYTHON = "recipes do not have it; build the model in Python, as in python: my_models.py:build"

TRAINING: Mapping[str, str] = {
    **dict.fromkeys(("learningrate", "lr", "momentum", "nesterov", "beta1"), _OPTIMIZER),
    "weightdecay": "write it under the optimizer, as in optimizer: {adamw: {weight_decay: 0.004}}",
    **dict.fromkeys(
        ("earlystopping", "callbacks", "modelcheckpoint", "restorebestweights", "monitor"), _BEST
    ),
    **dict.fromkeys(("augmentation", "augment", "dataaugmentation", "cutout"), _AUGMENT),
    **dict.fromkeys(("ema", "useema", "emamomentum", "swa"), _EMA),
    **dict.fromkeys(("clipnorm", "clipvalue", "globalclipnorm", "gradientclipping"), _CLIP),
    "loss": _LOSS,
    "metrics": _METRICS,
    **dict.fromkeys(("validationsplit", "validationdata", "validation"), _SPLIT),
    **dict.fromkeys(
        ("shuffle", "stepsperepoch"),
        "images are shuffled every epoch, each is seen once; leave it out",
    ),
    "verbose": "progress is always shown, on standard error; leave it out",
    "workers": "it is an option of the command: bakeoff run RECIPE --workers 2",
    "jitcompile": "training is always compiled; leave it out",
    "seed": "write seeds: 5 at the top of the recipe",
}
TOP: Mapping[str, str] = {
    **dict.fromkeys(
        ("epochs", "batchsize", "patience", "classweight", "labelsmoothing", "mixup"), _TRAINING
    ),
    **dict.fromkeys(("augmentation", "augment", "dataaugmentation"), _AUGMENT),
    **dict.fromkeys(("optimizer", "learningrate", "lr"), "write it under training"),
    "metrics": _METRICS,
    "loss": _LOSS,
    **dict.fromkeys(("validationsplit", "validation", "test"), _SPLIT),
    **dict.fromkeys(("callbacks", "earlystopping"), _BEST),
    "layers": "write it under models and a name, as in models: {mlp: {layers: […]}}",
    **dict.fromkeys(("model", "networks"), "write models: with a name for each"),
    "workers": "it is an option of the command: bakeoff run RECIPE --workers 2",
    "device": "it is an option of the command: bakeoff run RECIPE --device cpu",
    "out": "it is an option of the command: bakeoff run RECIPE --out DIR",
}
MODEL: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("epochs", "batchsize", "optimizer", "learningrate", "lr", "patience"),
            *("classweight", "labelsmoothing", "mixup"),
        ),
        "write it under the model's training, as in training: {epochs: 20}",
    ),
    **dict.fromkeys(("callbacks", "earlystopping"), _BEST),
    **dict.fromkeys(("augmentation", "augment", "dataaugmentation"), _AUGMENT),
    "loss": _LOSS,
    "metrics": _METRICS,
    "inputshape": "the data says the input's shape; leave it out",
}
LAYER: Mapping[str, str] = {
    "relu": "did you mean activation: relu?",
    "linear": "did you mean dense? The activation is activation: linear",
    "randomerasing": "did you mean cutout? It fills a square of each image",
    "mixup": "write it under training, as in training: {mixup: 0.2}",
    **dict.fromkeys(("softmax", "logsoftmax"), _SOFTMAX),
    **dict.fromkeys(("input", "inputlayer"), "the data says the input's shape; leave it out"),
    **dict.fromkeys(("rescaling", "normalization"), "pixels come in [0, 1] already; leave it out"),
    "resizing": "write the size into data, as in data: {folder: …, size: [64, 64]}",
    **dict.fromkeys(
        (
            *("conv2dtranspose", "conv1d", "zeropadding2d", "cropping2d", "prelu6"),
            *("spatialdropout2d", "gaussiandropout", "upsampling2d", "reshape"),
            *("lstm", "gru", "embedding", "multiheadattention", "attention", "add", "concatenate"),
            *("lambda", "thresholdedrelu", "permute", "maxout", "activityregularization"),
            *("alphadropout", "dropout2d", "droppath", "stochasticdepth"),
            *("rmsnormalization", "unitnormalization", "localresponsenormalization"),
            *("spectralnormalization", "instancenormalization", "centercrop", "autocontrast"),
            *("randomshear", "randomhue", "randomsaturation", "randomcolorjitter", "colorjitter"),
            *("randomperspective", "randomgrayscale", "randomgaussianblur", "randominvert"),
            *("randomsharpness", "randomposterization", "randaugment", "augmix", "cutmix"),
        ),
        _PYTHON,
    ),
}
_STEPS = "write each step as a phase, as in [{epochs: 10, constant: 0.001}, {constant: 0.0001}]"
_FALLING = (
    "write it in epochs, as in [{exponential: {start: 0.001, rate: -0.1}}], start·exp(rate·k)"
)
_COSINE = "write it in epochs, as in [{cosine: {start: 0.001, end: 0}}]"
_LINEAR = "write it in epochs, as in [{linear: {start: 0.001, end: 0}}]"
_WARM = (
    "write two phases, as in [{epochs: 2, linear: {start: 0.0001, end: 0.001}}, "
    "{cosine: {start: 0.001, end: 0}}]"
)
_PLANNED = (
    "rates are planned, not found out while training; write phases, as in [{constant: 0.001}]"
)
SCHEDULE: Mapping[str, str] = {
    **dict.fromkeys(
        ("step", "steps", "stepdecay", "steplr", "multisteplr", "piecewiseconstantdecay"), _STEPS
    ),
    **dict.fromkeys(("piecewiseconstant", "boundaries", "values", "milestones"), _STEPS),
    **dict.fromkeys(
        ("exponentialdecay", "exponentiallr", "inversetimedecay", "decay", "decayrate", "gamma"),
        _FALLING,
    ),
    **dict.fromkeys(("initiallearningrate", "decaysteps"), _FALLING),
    **dict.fromkeys(
        ("cosinedecay", "cosinedecayrestarts", "cosineannealing", "cosineannealinglr"), _COSINE
    ),
    **dict.fromkeys(("polynomialdecay", "polynomial", "lineardecay", "linearlr"), _LINEAR),
    **dict.fromkeys(("warmup", "warmupsteps", "warmupepochs", "onecycle", "onecyclelr"), _WARM),
    **dict.fromkeys(("reducelronplateau", "plateau", "schedule", "learningrateschedule"), _PLANNED),
    **dict.fromkeys(("scheduler", "lrscheduler", "learningratescheduler", "lrschedule"), _PLANNED),
}
OPTIMIZER: Mapping[str, str] = {
    **dict.fromkeys(
        ("decay", "lrdecay", "learningratedecay"), f"as a learning_rate that falls, {_FALLING}"
    ),
    "betas": "write beta_1 and beta_2, each a number",
    "dampening": "recipes do not have it; leave it out",
}
ARGUMENT: Mapping[str, str] = {
    **dict.fromkeys(
        ("inputshape", "inputdim", "batchinputshape", "batchshape"),
        "the data says the input's shape; leave it out",
    ),
    **dict.fromkeys(
        ("dilationrate", "groups", "kernelconstraint", "biasconstraint", "activityregularizer"),
        _PYTHON,
    ),
    **dict.fromkeys(("name", "dtype", "dataformat", "seed"), "Bakeoff sets it; leave it out"),
}
ACTIVATION: Mapping[str, str] = {
    "swish": "did you mean silu?",
    "leakyrelu": "leaky_relu has slope 0.2; for another write a layer of its own: leaky_re_lu: 0.1",
    "none": "write null or linear",
    "logsoftmax": _SOFTMAX,
    "prelu": "write it as a layer of its own: p_re_lu",
    "celu": "did you mean elu?",
    **dict.fromkeys(
        ("softsign", "crelu", "glu", "logsigmoid", "hardtanh", "tanhshrink", "softshrink"), _PYTHON
    ),
}
INITIALIZER: Mapping[str, str] = {
    "normal": "random_normal",
    "uniform": "random_uniform",
    **dict.fromkeys(("kaiming", "kaimingnormal", "he"), "he_normal"),
    "kaiminguniform": "he_uniform",
    **dict.fromkeys(("xavier", "xavieruniform", "glorot"), "glorot_uniform"),
    "xaviernormal": "glorot_normal",
    "lecun": "lecun_normal",
}


def hint(place: str, key: object, known: Iterable[str]) -> str | None:
    """Return what helps somebody who wrote `key` at `place` in a recipe; None if nothing is known.

    place : "" at the top, "training", "models.NAME", "models.NAME.layers[1].dense" …
    known : the keys there; one of them in another spelling needs no sentence
    """
    if not isinstance(key, str) or _bare(key) in map(_bare, known):
        return None
    if key.endswith(")") and "(" not in key:
        return "write two numbers in brackets, as in [3, 3]"  # YAML ends a value at the comma
    parts, bare = place.split("."), _bare(key)
    if not place:
        words = TOP
    elif parts[-1] == "training":
        if bare in SCHEDULE:
            return f"it is the optimizer's learning_rate; {SCHEDULE[bare]}"
        words = TRAINING
    elif parts[-2:-1] == ["optimizer"]:
        words = OPTIMIZER
    elif len(parts) == 2 and parts[0] == "models":
        words = MODEL
    elif ".layers[" in place:
        words = ARGUMENT
    else:
        return None
    return words.get(bare)


def layer_hint(name: object, known: Iterable[str]) -> str | None:
    """Return what helps somebody who wrote a layer of this name that recipes do not have."""
    return _said_of(name, LAYER, known)


def schedule_hint(name: object, known: Iterable[str]) -> str | None:
    """Return what helps somebody who wrote a schedule of the rate as Keras or PyTorch has it."""
    return _said_of(name, SCHEDULE, known)


def activation_hint(name: object) -> str | None:
    """Return what helps somebody who wrote an activation of this name that recipes do not have."""
    return _said_of(name, ACTIVATION)


def activation_layer_hint(
    name: object, activations: Iterable[str], known: Iterable[str]
) -> str | None:
    """Return what helps somebody who wrote an activation as a layer, in whatever spelling.

    None where `known`, the layers, has it in another spelling: leaky_relu is leaky_re_lu.
    """
    named = _said_of(name, {_bare(each): each for each in activations}, known)
    return named and f"did you mean activation: {named}?"


def initializer_hint(name: object) -> str | None:
    """Return what helps somebody who wrote an initializer under another library's name."""
    known = _said_of(name, INITIALIZER)
    return known and f"did you mean {known}?"


def _said_of(name: object, words: Mapping[str, str], known: Iterable[str] = ()) -> str | None:
    """Return what `words` say of a name; None of one that is known in another spelling."""
    if not isinstance(name, str) or _bare(name) in map(_bare, known):
        return None
    return words.get(_bare(name))


def last_name(word: object) -> object:
    """Return "Dense" for "keras.layers.Dense(64)"; any other value as it is."""
    if not isinstance(word, str):
        return word
    return word.partition("(")[0].rpartition(".")[2].strip() or word


def _bare(word: str) -> str:
    return "".join(each for each in word.casefold() if each.isalnum())
