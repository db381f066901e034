"""A good recipe with changes; recipes and layers that are refused, with the end of the message."""

from pathlib import Path
from typing import Any

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe import Recipe, parse

MLP = {"layers": [{"dense": 4}]}


def declare(**changes: Any) -> Recipe:
    """A good recipe with these changes."""
    raw = {"name": "x", "data": "digits", "models": {"mlp": MLP}, **changes}
    return parse(raw, origin="x.yaml", folder=Path("/studies"))


def refusal(**changes: Any) -> str:
    """The message for a good recipe with these changes."""
    with pytest.raises(RecipeError) as caught:
        declare(**changes)
    return str(caught.value)


UNITS = "a whole number from 1 to 1,000,000"
RECIPES = [
    ({"nam": "x"}, ", nam: unknown key; did you mean name?"),
    ({"name": "A b"},
     ", name: expected a name (1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or "
     "digit), found 'A b'"),
    ({"name": None}, ": name is missing"),
    ({"title": "x" * 201},
     f", title: expected text of at most 200 characters, found '{'x' * 39}…'"),
    ({"title": "a\x07"}, r", title: expected text of at most 200 characters, found 'a\x07'"),
    ({"data": "mnits"},
     ", data: expected digits, mnist, fashion-mnist, or one of {folder: PATH}, "
     "{table: PATH}, {npz: PATH}, {csv: PATH}, {idx: [IMAGES, LABELS]}, {parquet: PATH}, found "
     "'mnits'; did you mean mnist?"),
    ({"data": "./photos"},
     ", data: expected digits, mnist, fashion-mnist, or one of {folder: PATH}, "
     "{table: PATH}, {npz: PATH}, {csv: PATH}, {idx: [IMAGES, LABELS]}, {parquet: PATH}, found "
     "'./photos'; did you mean {folder: ./photos}?"),
    ({"data": {"folder": "a", "npz": "b"}},
     ", data: expected digits, mnist, fashion-mnist, or one of {folder: PATH}, "
     "{table: PATH}, {npz: PATH}, {csv: PATH}, {idx: [IMAGES, LABELS]}, {parquet: PATH}, found a "
     "mapping with the keys folder, npz"),
    ({"data": {"floder": "a", "size": [28, 28]}},
     ", data: expected digits, mnist, fashion-mnist, or one of {folder: PATH}, "
     "{table: PATH}, {npz: PATH}, {csv: PATH}, {idx: [IMAGES, LABELS]}, {parquet: PATH}, found a "
     "mapping with the keys floder, size; did you mean folder?"),
    ({"data": {"folder": "a", "colour": "rgb"}},
     ", data.colour: unknown key; did you mean color?"),
    ({"data": {"folder": "a", "color": "gray"}},
     ", data.color: expected a color (grey, rgb), found 'gray'; did you mean grey?"),
    ({"data": {"folder": 3}}, ", data.folder: expected the path of a folder, found 3"),
    ({"data": {"npz": ""}}, ", data.npz: expected the path of an npz file, found ''"),
    ({"split": 0.2},
     ", split: expected keys such as {validation: 0.2, test: 0.2, seed: 0}, found 0.2"),
    ({"split": {"val": 0.2}}, ", split.val: unknown key; did you mean validation?"),
    ({"split": {"validation": 1.0}},
     ", split.validation: expected a count of at least 1 or a fraction above 0 and below 1, "
     "found 1.0"),
    ({"split": {"validation": {"middle": 3}}},
     ", split.validation: expected a count, a fraction, {first: amount} or {last: amount}, "
     "found middle"),
    ({"split": {"validation": {"first": 0}}},
     ", split.validation.first: expected a count of at least 1 or a fraction above 0 and below "
     "1, found 0"),
    ({"split": {"seed": -1}},
     ", split.seed: expected a whole number from 0 to 2,147,483,647, found -1"),
    ({"models": {"m": {"backbone": "efficientnet_lite"}}},
     ", models.m.backbone: expected the name of a backbone, found 'efficientnet_lite'; did you "
     "mean efficientnet_lite0?"),
    ({"models": {"m": {"backbone": {"name": "efficientnet_lite0", "frozen": False}}}},
     ", models.m.backbone.frozen: unknown key; did you mean from?"),
    ({"models": {"m": {"backbone": {"name": "efficientnet_lite0", "trainable": "yes"}}}},
     ", models.m.backbone.trainable: expected true or false, found 'yes'"),
    ({"models": {"m": {"backbone": "efficientnet_lite0", "python": "a.py:f"}}},
     ", models.m: expected either layers or python, found both"),
    ({"training": {"class_weight": "balance"}},
     ", training.class_weight: expected balanced, or {class: weight}, found 'balance'"),
    ({"training": {"class_weight": {"a": -1}}},
     ", training.class_weight.a: expected a number from 0 to 1,000,000, found -1"),
    ({"training": {"label_smoothing": 1}},
     ", training.label_smoothing: expected a number from 0 to below 1, found 1"),
    ({"training": {"mixup": 0}},
     ", training.mixup: expected a number above 0 up to 1,000,000, found 0"),
    ({"training": {"patience": 3}, "selection": "last"},
     ", models.mlp.training.patience: expected none, since selection: last takes the last epoch, "
     "found one: remove it"),
    ({"seeds": 0},
     ", seeds: expected a whole number from 1 to 1,000, found 0; a list of seeds is the other "
     "form"),
    ({"seeds": [1, 2, 1]}, ", seeds: expected 1 to 1,000 different seeds, found 1 twice"),
    ({"seeds": []}, ", seeds: expected 1 to 1,000 different seeds, found an empty list"),
    ({"seeds": [1, "x"]},
     ", seeds[2]: expected a whole number from 0 to 2,147,483,647, found 'x'"),
    ({"selection": "best-acuracy"},
     ", selection: expected a selection (best-loss, best-accuracy, last), found 'best-acuracy'; "
     "did you mean best-accuracy?"),
    ({"baselines": "majority"},
     ", baselines: expected a list of majority, logistic, or [], found 'majority'"),
    ({"baselines": ["logistics"]},
     ", baselines[1]: expected a baseline (majority, logistic), found 'logistics'; did you mean "
     "logistic?"),
    ({"baselines": ["majority", "majority"]},
     ", baselines: expected different baselines, found one twice"),
    ({"margin": 1}, ", margin: expected a number above 0 and below 1, found 1"),
    ({"training": 3}, ", training: expected keys such as {epochs: 20}, found 3"),
    ({"training": {"epoch": 3}}, ", training.epoch: unknown key; did you mean epochs?"),
    ({"training": {"epochs": 10**9}},
     ", training.epochs: expected a whole number from 1 to 100,000, found 1000000000"),
    ({"training": {"optimizer": "adma"}},
     ", training.optimizer: unknown optimizer adma; did you mean adam?"),
    ({"training": {"optimizer": {"adam": {}, "sgd": {}}}},
     ", training.optimizer: expected one optimizer, found 2 keys (adam, sgd): write it as adam: "
     "{learning_rate: 0.001}"),
    ({"training": {"optimizer": {"adam": {"lr": 1}}}},
     ", training.optimizer.adam.lr: unknown key; did you mean learning_rate?"),
    ({"training": {"optimizer": {"adam": {"learning_rate": 3, "001": None}}}},  # 3,001 in YAML
     ", training.optimizer.adam.001: unknown key; is it part of a number? A number has a point, no "
     "comma: 0.001"),
    ({"training": {"optimizer": {"sgd": {"momentum": 2}}}},
     ", training.optimizer.sgd.momentum: expected a number from 0 to 1, found 2"),
    ({"models": {}}, ", models: expected 1 to 200 models by name, found an empty mapping"),
    ({"models": {"A": MLP}},
     ", models: expected a name (1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or "
     "digit), found 'A'"),
    ({"models": {"majority": MLP}},
     ", models.majority: is the name of a baseline; choose another name"),
    *(({"models": {name: MLP}},
       f", models.{name}: is the name of a file or folder of Bakeoff's own; choose another name")
      for name in ("baselines", "images.npy", "labels.npy", "manifest.json", "opening.json")),
    ({"models": {"m": [1]}},
     ", models.m: expected keys such as layers and training, found [1]"),
    ({"models": {"m": {"layer": []}}}, ", models.m.layer: unknown key; did you mean layers?"),
    ({"models": {"m": {"training": {}}}},
     ", models.m: expected either layers or python, found neither"),
    ({"models": {"m": {"layers": [], "python": "a.py:b"}}},
     ", models.m: expected either layers or python, found both"),
    ({"models": {"m": {"layers": "dense"}}},
     ", models.m.layers: expected a list of at most 1,000 layers, found 'dense'"),
    ({"models": {"m": {"layers": [], "output": {"units": 3}}}},
     ", models.m.output.units: unknown key; known: use_bias, kernel_initializer, "
     "bias_initializer, kernel_regularizer, bias_regularizer"),
    ({"models": {"m": {"python": "my_models:build"}}},
     ", models.m.python: expected \"file.py:function\", found 'my_models:build'"),
    ({"models": {"m": {"python": "m.py:build", "output": {}}}},
     ", models.m.output: expected no output beside python, found one: build it in the Python "
     "function"),
    ({"training": {"learning_rate": 0.1}},
     ", training.learning_rate: unknown key; write it under the optimizer, as in optimizer: "
     "{adam: {learning_rate: 0.001}}"),
    ({"training": {"early_stopping": 3}},
     ", training.early_stopping: unknown key; selection: best-loss keeps the epoch of the lowest "
     "validation loss; patience: 5 stops early"),
    ({"workers": 2},
     ", workers: unknown key; it is an option of the command: bakeoff run RECIPE --workers 2"),
    ({"seeds": 0, "margin": 1, "epochs": 3},
     ", epochs: unknown key; write it under training, as in training: {epochs: 20} (and 2 more)"),
]  # fmt: skip

LAYERS = [
    ({"max_pooling2d": {"pool_sise": 2}}, ".max_pooling2d.pool_sise: unknown key; did you mean "
     "pool_size?"),
    ("dropout 0.25", ": unknown layer 'dropout 0.25'; did you mean dropout: 0.25?"),
    ("dense 64 relu", ": unknown layer 'dense 64 relu'; did you mean dense?"),
    ("relu", ": unknown layer relu; did you mean activation: relu?"),
    ("tanh", ": unknown layer tanh; did you mean activation: tanh?"),
    ({"ReLU": None}, ": unknown layer ReLU; did you mean activation: relu?"),
    ({"rescaling": 0.1}, ": unknown layer rescaling; pixels come in [0, 1] already; leave it out"),
    ({"softmax": None}, ": unknown layer softmax; Bakeoff adds the softmax output itself; leave it "
     "out"),
    ({"Dense": 3}, ": unknown layer Dense; did you mean dense?"),
    ({"batchnorm": None}, ": unknown layer batchnorm; did you mean batch_normalization?"),
    ("wave", ": unknown layer wave; known: dense, conv2d, depthwise_conv2d, "
     "separable_conv2d, max_pooling2d, average_pooling2d, global_average_pooling2d, "
     "global_max_pooling2d, flatten, dropout, gaussian_noise, batch_normalization, "
     "layer_normalization, group_normalization, activation, p_re_lu, leaky_re_lu, elu, "
     "random_flip, random_translation, random_rotation, random_zoom, random_contrast, "
     "random_brightness, random_crop, cutout, residual"),
    ({"residual": []}, ".residual: expected at least one layer, found an empty list"),
    ({"residual": 3}, ".residual: expected a list of at most 1,000 layers, found 3"),
    ({"residual": [{"dense": 0}]}, f".residual[1].dense: expected {UNITS}, found 0"),
    ("swish", ": unknown layer swish; did you mean activation: swish?"),
    ({"cutout": 0}, ".cutout: expected a whole number from 1 to 1,024, found 0"),
    ("lstm", ": unknown layer lstm; recipes do not have it; build the model in Python, as in "
     "python: my_models.py:build"),
    (3, ": expected one layer, found 3: write it as dense: {units: 64, activation: relu}"),
    ({"dense": None, "units": 3}, ": expected one layer, found 2 keys (dense, units): write it as "
     "dense: {units: 64, activation: relu}"),
    ("dense", ".dense: units is missing"),
    ({"dense": {"unit": 3}}, ".dense.unit: unknown key; did you mean units?"),
    ({"dense": "many"}, f".dense: expected {UNITS}, found 'many'"),
    ({"dense": 10**9}, f".dense: expected {UNITS}, found 1000000000"),
    ({"dense": {"units": 0}}, f".dense.units: expected {UNITS}, found 0"),
    ({"dense": {"units": 3, "kernel_regularizer": {"l3": 1}}},
     ".dense.kernel_regularizer.l3: unknown key; known: l1, l2"),
    ({"dense": {"units": 3, "kernel_regularizer": 0.1}},
     ".dense.kernel_regularizer: expected {l1: factor}, {l2: factor} or both, found 0.1"),
    ({"dense": {"units": 3, "kernel_initializer": "he"}},
     ".dense.kernel_initializer: expected an initializer (glorot_uniform, glorot_normal, "
     "he_uniform, he_normal, lecun_uniform, lecun_normal, random_uniform, random_normal, "
     "truncated_normal, zeros, ones), found 'he'; did you mean he_normal?"),
    ({"conv2d": 3}, ".conv2d: expected {arguments} (filters, kernel_size, strides, padding, "
     "activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, "
     "bias_regularizer), found 3"),
    ({"conv2d": {"filters": 3}}, ".conv2d: kernel_size is missing"),
    ({"conv2d": {"filters": 3, "kernel_size": 3, "dilation_rate": 2}},
     ".conv2d.dilation_rate: unknown key; recipes do not have it; build the model in Python, as "
     "in python: my_models.py:build"),
    ({"dense": {"units": 3, "input_shape": [8]}}, ".dense.input_shape: unknown key; the data says "
     "the input's shape; leave it out"),
    ({"dense": {"units": 3, "colour": 1}}, ".dense.colour: unknown key; known: units, activation, "
     "use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer"),
    ({"dropout": 1}, ".dropout: expected a number from 0 to below 1, found 1"),
    ({"flatten": 3}, ".flatten: expected no value, since it has no arguments, found 3"),
    ({"activation": {"activation": None}}, ".activation.activation: expected an activation (relu, "
     "sigmoid, tanh, elu, selu, gelu, silu, softmax, linear, relu6, leaky_relu, softplus, mish, "
     "hard_sigmoid, hard_silu), found nothing"),
    ("average_pooling2d", ".average_pooling2d: pool_size is missing"),
]  # fmt: skip
