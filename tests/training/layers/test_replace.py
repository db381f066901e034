"""Functional models get the faster layers that Sequential models and declared ones get.

Oracle: the compiled program of the same network as declared in a recipe, step for step, and the
same model in Keras's own layers. Cost: 15 s. Run: pytest tests/training/layers/test_replace.py
"""

from collections import Counter

import numpy as np
import pytest

from bakeoff.recipe import parse
from bakeoff.training.backend import jax, keras
from bakeoff.training.build_model import build
from bakeoff.training.builders import user_builder
from bakeoff.training.epoch_program import program_of
from bakeoff.training.layers.activation import Activation
from bakeoff.training.layers.convolution import Conv2D
from bakeoff.training.layers.dense import Dense
from bakeoff.training.layers.dropout import Dropout
from bakeoff.training.layers.graph import graph
from bakeoff.training.layers.normalization import BatchNormalization
from bakeoff.training.layers.pooling import MaxPooling2D
from bakeoff.training.layers.replace import fuse_neighbours, with_faster_layers
from bakeoff.training.native import ops
from bakeoff.training.trainer import Trainer
from tests.helpers.layers import agree
from tests.helpers.trainers import development, trained

OURS = (Conv2D, BatchNormalization, Activation, MaxPooling2D)
DECLARED = [
    {"conv2d": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    {"max_pooling2d": 2},
    {"dropout": 0.3},
    {"dense": {"units": 6, "activation": "relu", "kernel_regularizer": {"l2": 0.01}}},
]
BUILDERS = """
import keras
from keras import layers

def chain(shape, n):
    image = keras.Input(shape)
    x = layers.Conv2D(4, 3, activation="relu")(image)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(6, activation="relu", kernel_regularizer=keras.regularizers.L1L2(l2=0.01))(x)
    return keras.Model(image, layers.Dense(n, activation="softmax")(x))

def branches(shape, n):
    image = keras.Input(shape)
    shared = layers.Conv2D(4, 3, padding="same", activation="tanh")
    left = shared(layers.Conv2D(4, 1)(image))
    right = shared(layers.Conv2D(4, 3, padding="same")(image))
    both = layers.Add()([left, right]) + left
    inner = keras.Input((6, 6, 4))
    nested = keras.Model(inner, layers.MaxPooling2D(2)(layers.Conv2D(3, 2)(inner)))
    joined = layers.Concatenate()([nested(both), nested(right)])
    wide = layers.Dense(8, activation="tanh")
    flat = layers.Flatten()(joined)
    again = layers.Dense(8)(wide(flat))
    twice = layers.Concatenate()([again, layers.Dense(8)(flat)])
    return keras.Model(image, layers.Dense(n, activation="softmax")(twice))
"""


@pytest.fixture
def declare(tmp_path):
    (tmp_path / "mine.py").write_text(BUILDERS)

    def declared(**model):
        training = {
            "epochs": 2,
            "batch_size": 16,
            "optimizer": {"sgd": {"learning_rate": 0.05}},
        }
        models = {"mine": {**model, "training": training}}
        mapping = {"name": "test", "data": "digits", "models": models}
        return parse(mapping, origin="test", folder=tmp_path).models["mine"]

    return declared


def steps(model):
    """Count the operations of the program of an epoch, nested ones included."""
    trainer = Trainer(model, development(), seed=0, selection="last")
    traced = jax.make_jaxpr(trainer.program.plain_epoch)(
        trainer.state, trainer.images, trainer.labels, *trainer.draws(), trainer.dropped
    )
    counts = Counter()

    def count(jaxpr):
        for equation in jaxpr.eqns:
            counts[equation.primitive.name] += 1
            for value in jax.tree.leaves(list(equation.params.values())):
                inner = getattr(value, "jaxpr", value)
                if hasattr(inner, "eqns"):
                    count(inner)

    count(traced.jaxpr)
    return counts


def test_a_functional_model_compiles_to_the_steps_of_the_recipe(declare):
    functional = steps(declare(python="mine.py:chain"))
    assert functional == steps(declare(layers=DECLARED))
    assert functional["scan"] == 1


def test_branches_shared_and_nested_layers_get_the_faster_layers(declare):
    counts = steps(declare(python="mine.py:branches"))
    assert not counts["select_and_scatter_add"]  # XLA's gradient of max pooling
    model = build(declare(python="mine.py:branches"), (6, 6, 1), 3, seed=0)
    kinds = Counter(type(layer).__module__.split(".")[0] for layer in model.layers)
    nested = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    assert kinds["bakeoff"] == 7  # three convolutions, four dense layers
    assert [type(each) for each in nested.layers[1:]] == [Conv2D, MaxPooling2D]


def test_branches_train_as_in_keras_own_layers(declare, monkeypatch):
    model, data = declare(python="mine.py:branches"), development()
    ours = trained(Trainer(model, data, seed=0, selection="last"))
    program_of.cache_clear()
    monkeypatch.setattr(user_builder, "with_faster_layers", lambda model: model)
    theirs = trained(Trainer(model, data, seed=0, selection="last"))
    program_of.cache_clear()
    for one, other in zip(ours.weights.values(), theirs.weights.values(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


CONVOLVED_AND_POOLED = [
    # activation, pooling, whether it may pool first
    ("relu", {"pool_size": 2}, True),
    ("tanh", {"pool_size": 3, "strides": 2, "padding": "same"}, True),
    (None, {"pool_size": 2}, True),
    ("elu", {"pool_size": (1, 2), "strides": 1}, True),
    ("gelu", {"pool_size": 2}, False),
    ("silu", {"pool_size": 2}, False),
]


@pytest.mark.parametrize("activation, pooling, expected", CONVOLVED_AND_POOLED)
@pytest.mark.parametrize("use_bias", [True, False])
def test_native_kernels_pool_before_an_activation_that_never_falls(
    activation, pooling, expected, use_bias, rng, kernels
):
    def stack(convolution, pool):
        settings = {"activation": activation, "use_bias": use_bias, "bias_initializer": "normal"}
        return keras.Sequential(
            [keras.Input((9, 10, 3)), convolution(18, 3, **settings), pool(**pooling)]
        )

    ours = fuse_neighbours(stack(Conv2D, MaxPooling2D))
    theirs = stack(keras.layers.Conv2D, keras.layers.MaxPooling2D)
    assert ours.layers[1].pooled is (expected and kernels == "native")
    agree(ours, theirs, rng.standard_normal((5, 9, 10, 3), np.float32))


def test_only_what_alone_uses_a_layer_is_fused_with_it(declare, monkeypatch):
    """Pooling moves into a convolution; not where something else uses the convolution too."""
    monkeypatch.setattr(ops, "loaded", lambda: True)
    image = keras.Input((6, 6, 1))
    alone, used_twice, shared = Conv2D(2, 3), Conv2D(2, 3), Conv2D(2, 3)
    returned = Conv2D(2, 3)
    pools = [MaxPooling2D(4) for _ in range(5)]
    branch = used_twice(image)
    outputs = [
        pools[0](alone(image)),
        pools[1](branch),
        keras.layers.GlobalAveragePooling2D()(branch),
        pools[2](shared(image)),
        pools[3](shared(image)),
        (kept := returned(image)),
        pools[4](kept),
    ]
    fuse_neighbours(keras.Model(image, outputs))
    assert [pool.pooled for pool in pools] == [True, False, False, False, False]
    assert alone.pool_first is not None
    assert not any(each.pool_first for each in (used_twice, shared, returned))


@pytest.mark.parametrize("functional", [True, False])
def test_the_first_dense_layer_knows_the_raw_pixels(functional):
    image = keras.Input((6, 6, 1))
    first, second = Dense(4), Dense(4)
    if functional:
        flat = keras.layers.Flatten()(image)
        fuse_neighbours(keras.Model(image, second(first(flat))))
    else:
        fuse_neighbours(keras.Sequential([image, keras.layers.Flatten(), first, second]))
    assert (first.on_pixels, second.on_pixels) == (True, False)


def test_a_model_with_code_of_its_own_is_left_alone():
    class Mine(keras.Model):
        def call(self, inputs):
            return 2 * super().call(inputs)

    image = keras.Input((4,))
    mine = Mine(image, keras.layers.Dense(3)(image))
    assert with_faster_layers(mine) is mine
    assert graph(mine).called_once == frozenset()


class Scale(keras.layers.Layer):
    """A user's layer that cannot say how it was made."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return self.factor * inputs


def test_layers_of_the_users_own_are_kept():
    image = keras.Input((6,))
    model = keras.Model(image, keras.layers.Dropout(0.5)(Scale(3.0)(image)))
    faster = with_faster_layers(model)
    assert [type(each) for each in faster.layers[1:]] == [Scale, Dropout]
    np.testing.assert_array_equal(faster(np.ones((1, 6), np.float32)), np.full((1, 6), 3.0))


def leaky_relu(values):
    """A user's function, called as one of Keras's that has another gradient below 0."""
    return keras.ops.maximum(values, 0.01 * values)


class Clipped(keras.constraints.Constraint):
    """A user's constraint that cannot say how it was made."""

    def __init__(self, most=2.0):
        self.most = most

    def __call__(self, weights):
        return keras.ops.clip(weights, -self.most, self.most)


def test_functions_and_constraints_of_the_users_own_are_kept():
    settings = {"activation": leaky_relu, "kernel_constraint": Clipped(0.1)}
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, **settings)])
    model.add(keras.layers.Activation(leaky_relu))
    faster = with_faster_layers(model)
    dense, activation = faster.layers
    assert type(dense) is Dense and dense.kernel_constraint.most == 0.1
    assert dense.activation is activation.activation is leaky_relu
    images = np.random.default_rng(0).standard_normal((5, 6), np.float32)
    np.testing.assert_allclose(faster(images), model(images), atol=1e-6)


@pytest.mark.parametrize("normalized", [True, False])
def test_an_activity_regularizer_sees_the_output_of_its_own_layer(normalized, rng, kernels):
    def stack(convolution, normalization, activation, pool):
        image, l1 = keras.Input((8, 8, 3)), keras.regularizers.L1(0.1)
        if normalized:
            layers = [normalization(activity_regularizer=l1), activation("relu")]
        else:
            layers = [convolution(4, 3, activity_regularizer=l1), pool(2)]
        return keras.Sequential([image, *layers])

    own = (getattr(keras.layers, each.__name__) for each in OURS)
    theirs = stack(*own)
    ours = fuse_neighbours(with_faster_layers(theirs))
    assert isinstance(ours.layers[0], OURS)
    images = rng.standard_normal((5, 8, 8, 3), np.float32)
    losses = []
    for model in (ours, theirs):
        variables = model.trainable_variables, model.non_trainable_variables
        values = [[each.value for each in kind] for kind in variables]
        losses.append(model.stateless_call(*values, images, training=True, return_losses=True)[2])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_the_private_names_of_keras_that_fusing_needs():
    """Without them nothing is fused; this test says which version of Keras took them away."""
    image = keras.Input((4,))
    first, second = keras.layers.Dense(3), keras.layers.Dense(3)
    found = graph(keras.Model(image, second(first(image)))).pairs
    assert found == ((first, second),), (
        f"Keras {keras.__version__} changed Functional._nodes_by_depth"
    )
