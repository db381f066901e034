"""Builders that spoil a study in silence: fixed seeds, pixels scaled twice, no or two softmaxes.

Oracle: builders written here, of which each fault is known. Cost: 15 s.
Run: pytest tests/training/builders/test_builder_checks.py
"""

import re

import pytest

from bakeoff.errors import RecipeError
from bakeoff.training.builders.builder_checks import remarks

SHAPE, CLASSES = (8, 8, 1), 3
BUILDERS = """
import functools
import random
import time

import jax
import keras
import numpy as np
from keras import layers as L

def chain(shape, n, *first, **last):
    return keras.Sequential([keras.Input(shape), *first, L.Flatten(),
                             L.Dense(4, activation="relu", **last), L.Dense(n, "softmax", **last)])

def good(shape, n):
    return chain(shape, n)

def graph(shape, n):
    x = keras.Input(shape)
    y = L.Conv2D(3, 3)(x)
    return keras.Model(x, L.Dense(n, activation="softmax")(L.Flatten()(y)))

def augmented(shape, n):
    return chain(shape, n, L.RandomZoom(0.1), L.Lambda(lambda x: 2 * x - 1))

def rescaled(shape, n):
    return chain(shape, n, L.Rescaling(1 / 255))

def mobile(shape, n):
    return chain(shape, n, L.RandomFlip(), L.Rescaling(1 / 127.5, offset=-1))

def by_lambda(shape, n):
    return chain(shape, n, L.Lambda(lambda x: x / 255))

def in_a_graph(shape, n):
    x = keras.Input(shape)
    return keras.Model(x, L.Dense(n, activation="softmax")(L.Flatten()(x / 255.0)))

def nested(shape, n):
    x = keras.Input(shape)
    return keras.Model(x, chain(shape, n, L.Rescaling(1 / 255))(x))

def means(shape, n):
    return chain(shape, n, L.Lambda(lambda x: x - 116.0))

def global_seed(shape, n):
    keras.utils.set_random_seed(42)
    return good(shape, n)

def initializers(shape, n):
    return chain(shape, n, kernel_initializer=keras.initializers.GlorotUniform(seed=1))

def one_initializer(shape, n):
    first = L.Conv2D(3, 3, kernel_initializer=keras.initializers.HeNormal(seed=1))
    return chain(shape, n, first)

def one_generator(shape, n):
    draws = keras.initializers.HeNormal(seed=keras.random.SeedGenerator(1))
    return chain(shape, n, L.Conv2D(3, 3, kernel_initializer=draws))

def ramp(like):
    return np.linspace(-1, 1, like.size).reshape(like.shape)

def loaded(shape, n):
    model = good(shape, n)
    model.set_weights([ramp(each) for each in model.get_weights()])
    return model

def backbone(shape, n):
    model = chain(shape, n, L.Conv2D(3, 3))
    kernel, *rest = model.get_weights()
    model.set_weights([ramp(kernel), *rest])
    return model

class Own(keras.Model):
    def __init__(self, n, by):
        super().__init__()
        self.by, self.flat, self.last = by, L.Flatten(), L.Dense(n, "softmax")

    def call(self, images):
        return self.last(self.flat(images / self.by))

def own(shape, n):
    return Own(n, 1.0)

def own_divides(shape, n):
    return Own(n, 255.0)

class Steps(Own):
    def train_step(self, state, data):
        raise NotImplementedError

class Losses(Own):
    def compute_loss(self, **settings):
        return 2 * super().compute_loss(**settings)

def own_step(shape, n):
    return Steps(n, 1.0)

def own_loss(shape, n):
    return Losses(n, 1.0)

def without_input(shape, n):
    return keras.Sequential([L.Flatten(), L.Dense(n, "softmax")])

def compiled(shape, n):
    model = good(shape, n)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model

def sigmoids(shape, n):
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(n, "sigmoid")])

def one_sigmoid(shape, n):
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(1, "sigmoid")])

def over_images(shape, n):
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(n), L.Softmax(axis=0)])

def recurrent(shape, n):
    layers = [keras.Input(shape), L.Reshape(shape[:2]), L.LSTM(4), L.Dense(n, "softmax")]
    return keras.Sequential(layers)

class Block(L.Layer):
    def __init__(self):
        super().__init__()
        self.conv = L.Conv2D(3, 3)

    def call(self, images):
        return self.conv(images / 255.0)

def block(shape, n):
    return chain(shape, n, Block())

def own_initializer(shape, n):
    def draw(shape, dtype=None):
        return 0.1 * keras.random.normal(shape, dtype=dtype)
    return chain(shape, n, L.Conv2D(3, 3, kernel_initializer=draw))

def half(shape, n):
    policy = keras.mixed_precision.DTypePolicy("mixed_bfloat16")
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(n, "softmax", dtype=policy)])

def twice(shape, n):
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(n, "softmax"), L.Softmax()])

def twice_by_lambda(shape, n):
    return keras.Sequential([chain(shape, n), L.Lambda(lambda x: keras.ops.softmax(x))])

def twice_in_a_graph(shape, n):
    x = keras.Input(shape)
    return keras.Model(x, keras.ops.softmax(L.Dense(n, "softmax")(L.Flatten()(x))))

def twice_nested(shape, n):
    return keras.Sequential([keras.Input(shape), chain(shape, n), L.Softmax()])

def twice_with_weights(shape, n):
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(n, "softmax"), L.Dropout(0.1),
                             L.Dense(n, "softmax")])

def attention(shape, n):
    x = keras.Input(shape)
    y = L.Flatten()(x)
    return keras.Model(x, L.Dense(n, "softmax")(y * L.Dense(64, "softmax")(y)))

def two_heads(shape, n):
    x = keras.Input(shape)
    y = L.Flatten()(x)
    return keras.Model(x, (L.Dense(n, "softmax")(y) + L.Dense(n, "softmax")(y)) / 2)

class Spare(keras.Model):
    def __init__(self, n):
        super().__init__()
        self.flat, self.end, self.spare = L.Flatten(), L.Dense(n, "softmax"), L.Softmax()

    def call(self, x):
        return self.end(self.flat(x))

def spare(shape, n):
    return Spare(n)

def standardised(shape, n):
    over = {"axis": (1, 2, 3), "keepdims": True}
    def alone(x):
        return (x - keras.ops.mean(x, **over)) / (keras.ops.std(x, **over) + 1e-5)
    return chain(shape, n, L.Lambda(alone))

def layer_normalized(shape, n):
    return chain(shape, n, L.LayerNormalization(axis=[1, 2, 3]))

def flat_normalized(shape, n):
    return chain(shape, n, L.Flatten(), L.LayerNormalization())

def group_normalized(shape, n):
    return chain(shape, n, L.GroupNormalization(groups=1))

def each_pixel_normalized(shape, n):
    return chain(shape, n, L.LayerNormalization())

def each_pixel_centred(shape, n):
    return chain(shape, n, L.Lambda(lambda x: x - keras.ops.mean(x, axis=-1, keepdims=True)))

class OwnDropout(L.Layer):
    def __init__(self, seed=None):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, x, training=False):
        return keras.random.dropout(x, 0.5, seed=self.seeds) if training else x

def own_dropout(shape, n):
    return chain(shape, n, OwnDropout())

def fixed_dropout(shape, n):
    return chain(shape, n, OwnDropout(0))

def fixed_channels(shape, n):
    return chain(shape, n, L.Conv2D(2, 3), L.SpatialDropout2D(0.5, seed=1))

class Dropping(keras.Model):
    def __init__(self, n):
        super().__init__()
        self.flat, self.drop, self.last = L.Flatten(), L.Dropout(0.5, seed=1), L.Dense(n, "softmax")

    def call(self, x, training=False):
        return self.last(self.drop(self.flat(x), training=training))

def fixed_in_a_class(shape, n):
    return Dropping(n)

def given_the_trials_seed(shape, n):
    return chain(shape, n, L.RandomFlip(seed=1), L.Dropout(0.5, seed=2))

def differences(shape, n):
    return chain(shape, n, L.Lambda(lambda x: x[:, 1:] - x[:, :-1]))

def identity(shape, n):
    return chain(shape, n, L.Dense(shape[-1] + 3), L.Dense(4, kernel_initializer="identity"))

def depthwise(shape, n):
    drawn = keras.initializers.GlorotUniform(seed=1)
    return chain(shape, n, L.DepthwiseConv2D(3, depth_multiplier=2, depthwise_initializer=drawn))

def separable(shape, n):
    drawn = keras.initializers.GlorotUniform(seed=1)
    return chain(shape, n, L.SeparableConv2D(3, 3, pointwise_initializer=drawn))

class Kernel(L.Layer):
    def __init__(self, by=1.0):
        super().__init__()
        self.by = by

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 4), name="kernel")

    def call(self, images):
        return keras.ops.relu(images / self.by) @ self.kernel

def kernel(shape, n):
    return chain(shape, n, Kernel())

def kernel_divides(shape, n):
    return chain(shape, n, Kernel(255.0))

def normal_first(shape, n):
    return chain(shape, n, L.BatchNormalization(), Kernel())

def of_patches(shape, n):
    x = keras.Input(shape)
    y = L.Dense(4)(L.Reshape((-1, 4))(x))
    y = L.MultiHeadAttention(2, 3)(y, y)
    return keras.Model(x, L.Dense(n, "softmax")(L.Flatten()(y)))

def recurrent_divides(shape, n):
    return keras.Sequential([keras.Input(shape), L.Rescaling(1 / 255), L.Reshape(shape[:2]),
                             L.LSTM(4), L.Dense(n, "softmax")])

def of_each_pixel(shape, n):
    return keras.Sequential([keras.Input(shape), L.Conv2D(4, 3), L.Dense(n, "softmax")])

def between(shape, n, *layers):
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(n, "softmax"), *layers,
                             L.Softmax()])

def twice_scaled(shape, n):
    return between(shape, n, L.Rescaling(10.0))

def twice_normalized(shape, n):
    return between(shape, n, L.BatchNormalization(), L.Activation("relu"))

def twice_by_layer(shape, n):
    return between(shape, n, L.LayerNormalization())

def temperature(shape, n):
    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(n), L.Rescaling(0.5),
                             L.Softmax()])

def by_the_clock(shape, n):
    keras.utils.set_random_seed(time.time_ns() % 2**31)
    return chain(shape, n)

def by_the_system(shape, n):
    random.seed()
    return chain(shape, n)

def not_seeded(shape, n):
    model = good(shape, n)
    drawn = np.random.default_rng().normal
    model.set_weights([drawn(size=each.shape) for each in model.get_weights()])
    return model

def drawn_width(shape, n):
    return chain(shape, n, L.Dense(random.randrange(2, 1000)))

def drawn_choice(shape, n):
    return chain(shape, n, L.Dense(random.choice([8, 16, 32])))

def by_numpy(shape, n):
    return chain(shape, n, L.Lambda(lambda x: np.maximum(x, 0.1), output_shape=shape))

def no_arguments():
    return good((8, 8, 1), 3)

def three(shape, n, rate, *, units=3):
    return good(shape, n)

def at_rate(function):
    @functools.wraps(function)
    def inner(shape, n):
        return function(shape, n, 0.5)
    return inner

@at_rate
def decorated(shape, n, rate):
    return chain(shape, n, L.Dropout(rate))

def drawn_depth(shape, n):
    return chain(shape, n, *[L.Dense(2) for _ in range(np.random.randint(1, 50))])

def drawn_rate(shape, n):
    return chain(shape, n, L.Dropout(random.random() / 2))

class Late(keras.Model):
    def build(self, shape):
        self.flat, self.first = L.Flatten(), L.Dense(4)
        self.last = keras.Sequential([L.Dense(3), L.Softmax()])

    def call(self, x):
        return self.last(self.first(self.flat(x)))

def late(shape, n):
    return Late()

def half_relu(x):
    return keras.ops.relu(x) / 2

class Counted(L.Layer):
    def __init__(self, noise_seed):
        super().__init__()
        self.count, self.conv = keras.backend.get_uid("counted"), L.Conv2D(2, 3)
        self.noise_seed = noise_seed

    def call(self, x):
        return half_relu(self.conv(x))

    def get_config(self):
        return {**super().get_config(), "count": self.count, "conv": self.conv.name,
                "activation": str(half_relu), "noise_seed": self.noise_seed}

def counted(shape, n):
    return chain(shape, n, Counted(random.randrange(10**9)))

class Pooled(L.Layer):
    def __init__(self):
        super().__init__()
        self.activation, self.score = keras.activations.softmax, L.Dense(1)

    def call(self, x):
        weights = self.activation(self.score(x), axis=1)
        return keras.ops.sum(weights * x, axis=1), weights

def pooled(shape, n):
    x = keras.Input(shape)
    y, _ = Pooled()(L.Reshape((8, 8))(x))
    return keras.Model(x, L.Dense(n, "softmax")(y))

class Tutorial(keras.Model):
    def __init__(self, n):
        super().__init__()
        self.flat, self.first, self.last = L.Flatten(), L.Dense(4, "relu"), L.Dense(n, "softmax")
        self.table = None

    def call(self, x):
        if self.table is None:
            self.table = keras.ops.linspace(0, 1, 8)
        return self.last(self.first(self.flat(x + self.table[:, None])))

def built_with_a_shape(shape, n):
    model = Tutorial(n)
    model.build((None, *shape))
    return model

class Telling(L.Layer):
    def call(self, x):
        if not isinstance(x, keras.KerasTensor):
            print("traced" if isinstance(x, jax.core.Tracer) else "run")
        return x

def telling(shape, n):
    return chain(shape, n, L.Dense(2), Telling())
"""


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    path = tmp_path_factory.mktemp("builders") / "mine.py"
    path.write_text(BUILDERS, encoding="utf-8")
    return lambda name, classes=CLASSES: remarks(f"{path}:{name}", SHAPE, classes)


@pytest.mark.parametrize(
    "name",
    [
        *("good", "graph", "augmented", "backbone", "own", "without_input", "recurrent"),
        *("own_initializer", "half", "attention", "two_heads", "spare", "standardised"),
        *("differences", "identity", "temperature", "late", "kernel"),
        *("normal_first", "of_patches", "pooled", "decorated", "counted"),
        *("layer_normalized", "flat_normalized", "group_normalized"),
        *("own_dropout", "given_the_trials_seed"),
    ],
)
def test_nothing_is_said_of_these(look, name):
    assert look(name) == ()


@pytest.mark.filterwarnings("ignore:`build..` was called on layer")
def test_a_model_that_is_built_without_its_layers_is_as_good_as_any(look):
    """Its layers had weights after the first look, and none before the others."""
    assert look("built_with_a_shape") == ()


@pytest.mark.parametrize(
    "name",
    [
        *("rescaled", "mobile", "by_lambda", "in_a_graph", "nested", "means", "own_divides"),
        *("block", "kernel_divides", "recurrent_divides"),
    ],
)
def test_pixels_scaled_again(look, name):
    assert look(name) == ("scales-again",)


@pytest.mark.parametrize("name", ["each_pixel_normalized", "each_pixel_centred"])
def test_pixels_of_which_nothing_is_left(look, name):
    assert look(name) == ("pixels-lost",)


@pytest.mark.parametrize("name", ["fixed_dropout", "fixed_channels", "fixed_in_a_class"])
def test_layers_that_draw_the_same_with_every_seed(look, name):
    assert look(name) == ("same-random-draws",)


@pytest.mark.parametrize("name", ["global_seed", "initializers"])
def test_seeds_that_are_none_are_refused(look, name):
    message = (
        f"mine.py:{name}: expected other initial weights for every seed, found the same ones: "
        "remove set_random_seed and seed=… from the builder; Bakeoff sets the seed"
    )
    with pytest.raises(RecipeError, match=f"{re.escape(message)}$"):
        look(name)


@pytest.mark.parametrize("name", ["one_initializer", "one_generator", "depthwise", "separable"])
def test_one_layer_that_starts_alike_is_remarked(look, name):
    assert look(name) == ("some-same-initial-weights",)


def test_loaded_weights_are_one_draw(look):
    assert look("loaded") == ("same-initial-weights",)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "name",
    [
        *("twice", "twice_by_lambda", "twice_in_a_graph", "twice_nested", "twice_with_weights"),
        *("twice_scaled", "twice_normalized", "twice_by_layer"),
    ],
)
def test_two_softmax_layers_are_refused(look, name, classes):
    with pytest.raises(RecipeError, match="expected one softmax at the end, found two, one after"):
        look(name, classes)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *[("sigmoids", "2 values that are no softmax"), ("one_sigmoid", "an output of shape (1,)")],
        ("over_images", "2 values that are no softmax"),
    ],
)
def test_what_only_resembles_a_softmax_of_two_classes_is_refused(look, name, found):
    message = (
        f"mine.py:{name}: expected a model whose output is a softmax of width 2, found "
        f"{found}: end it with keras.layers.Dense(2, activation='softmax')"
    )
    with pytest.raises(RecipeError, match=f"{re.escape(message)}$"):
        look(name, classes=2)


def test_a_builder_that_compiles_is_remarked(look):
    assert look("compiled") == ("compiled",)


@pytest.mark.parametrize(
    ("name", "way"), [("own_step", "train_step"), ("own_loss", "compute_loss")]
)
def test_a_model_with_its_own_way_to_train_is_refused(look, name, way):
    message = (
        f"mine.py:{name}: expected a model that is trained as the recipe says, found one with its "
        f"own {way}, which would not be used: remove it; losses of add_loss do count"
    )
    with pytest.raises(RecipeError, match=f"{re.escape(message)}$"):
        look(name)


def test_a_softmax_of_each_pixel_lacks_a_flatten(look):
    """The advice was to end it with the layer that it ended with."""
    with pytest.raises(
        RecipeError, match=r"of shape \(6, 6, 3\): put keras\.layers\.Flatten\(\) b"
    ):
        look("of_each_pixel")


@pytest.mark.parametrize("name", ["by_the_clock", "by_the_system", "not_seeded"])
def test_seeds_of_the_builder_s_own_are_refused(look, name):
    """No trial could be repeated, and nothing was said of it."""
    with pytest.raises(RecipeError, match="expected the same initial weights for the same seed, f"):
        look(name)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("drawn_width", r"Dense with units \d+, then \d+"),
        ("drawn_choice", r"Dense with units \d+, then \d+"),
        ("drawn_depth", r"\d+ layers, then \d+"),
        ("drawn_rate", r"Dropout with rate 0\.\d+, then 0\.\d+"),
    ],
)
def test_a_network_that_is_drawn_at_random_is_refused(look, name, found):
    """All seeds had trained the network of seed 0, or ended in a traceback."""
    with pytest.raises(RecipeError, match=f"the same network for every seed, found {found}: draw"):
        look(name)


def test_a_network_is_compiled_and_not_run_operation_by_operation(look, capsys):
    """Of a large network, each operation compiled for each number of images took minutes."""
    look("telling")
    told = capsys.readouterr().out.split()
    assert "traced" in told and "run" not in told


def test_code_that_cannot_be_compiled_is_refused(look):
    """It was shown images one operation at a time, and ended the run when it was to train."""
    with pytest.raises(
        RecipeError, match=r"by_numpy.*: its code asks tensors for .*: use keras\.ops"
    ):
        look("by_numpy")


@pytest.mark.parametrize(
    ("name", "found"), [("no_arguments", "()"), ("three", "(shape, n, rate, *, units=3)")]
)
def test_a_function_of_other_arguments_is_told_which_it_should_have(look, name, found):
    message = f"two arguments, (input_shape, n_classes), found {name}{found}: give it these two"
    with pytest.raises(RecipeError, match=re.escape(message)):
        look(name)
