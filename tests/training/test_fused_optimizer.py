"""Weights that a kernel updates: which layers, and the values, against the formulas in float64.

That whole trainings end in Keras's weights stands in test_keras_parity.py, and how exact products
are in test_ops.py. Cost: 5 s. Run:
pytest tests/training/test_fused_optimizer.py
"""

import numpy as np
import pytest

from bakeoff import recipe
from bakeoff.training import fused_optimizer
from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.dense import Dense
from bakeoff.training.native import build, ops
from bakeoff.training.trainer import Development, Trainer

L1, L2, DECAY, RATE, EPSILON = 1e-3, 1e-2, 1e-3, 0.1, 1e-5
FRESH = (0.1, 0.01)  # how much of Adam's state is replaced; the second is RMSprop's as well


@pytest.fixture(params=build.variants(build.machine()))
def variant(request, use_variant):
    """Do a test with every variant of the native library."""
    use_variant(request.param)
    return request.param


def update(*given):
    """Return a step's results, compiled for the variant in use."""
    return jax.jit(lambda *each: ops.update(*each))(*given)


def summed(inputs, gradient):
    """Return the weights' gradient as the kernel sums it up: zero weights after a step of −1."""
    nothing = np.zeros((inputs.shape[1], gradient.shape[1]), np.float32)
    found = ops.update(inputs, gradient, np.array([0, 0, 0, -1], np.float32), nothing, [])
    return np.asarray(found[0], np.float64)


def expected(gradient, weights, n_states):
    """Return weights and optimizer state, float64, after a step that corrects no bias."""
    gradient = gradient + L1 * np.sign(weights) + 2 * L2 * weights
    left = weights * (1 - DECAY)
    if not n_states:
        return [left - RATE * gradient]
    square = n_states[-1] + FRESH[1] * (gradient**2 - n_states[-1])
    if len(n_states) == 1:
        return [left - RATE * gradient / np.sqrt(square + EPSILON), square]
    mean = n_states[0] + FRESH[0] * (gradient - n_states[0])
    return [left - RATE * mean / (np.sqrt(square) + EPSILON), mean, square]


def scalars(n_states):
    rule = {0: [RATE], 1: [RATE, FRESH[1], EPSILON], 2: [RATE, *FRESH, EPSILON]}[n_states]
    return np.array([L1, L2, DECAY, *rule], np.float32)


def step(rng, *, batch, rows, columns, n_states, of_bytes):
    """Return a step's arguments; some weights and states are zero, as at first."""
    inputs = rng.integers(0, 256, (batch, rows)).astype(np.uint8 if of_bytes else np.float32)
    gradient = rng.standard_normal((batch, columns), np.float32) / 1000
    weights = rng.standard_normal((rows, columns), np.float32)
    held = [rng.standard_normal((rows, columns), np.float32) ** 2 for _ in range(n_states)]
    for each in (weights, *held):
        each[rng.random(each.shape) < 0.2] = 0
    return inputs, gradient, scalars(n_states), weights, held


@pytest.mark.parametrize("n_states", [0, 1, 2])
@pytest.mark.parametrize(
    "batch, rows, columns", [(1, 1, 1), (16, 16, 16), (33, 65, 31), (128, 70, 200), (800, 40, 300)]
)
def test_a_step_is_that_of_the_optimizer(batch, rows, columns, n_states, rng, variant):
    sizes = {"batch": batch, "rows": rows, "columns": columns, "n_states": n_states}
    for of_bytes in (False, True) if ops.has_tiles() else (False,):  # tiles alone multiply bytes
        given = step(rng, **sizes, of_bytes=of_bytes)
        inputs, gradient, _, weights, held = given
        found = update(*given)
        whole = summed(inputs, gradient)
        exact = inputs.T.astype(np.float64) @ gradient
        np.testing.assert_allclose(whole, exact, rtol=1e-6, atol=1e-6 * np.sqrt(batch))
        states = [each.astype(np.float64) for each in held]
        wanted = expected(whole, weights.astype(np.float64), states)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=3e-6, atol=1e-6)


def test_what_is_no_number_stays_so(rng, variant):
    """A training that diverged must be seen to have."""
    inputs, gradient, given, weights, held = step(
        rng, batch=20, rows=64, columns=64, n_states=2, of_bytes=False
    )
    gradient[:, 5] = np.nan
    inputs[3, 7] = np.inf
    for found in ops.update(inputs, gradient, given, weights, held):
        bad = ~np.isfinite(np.asarray(found))
        assert bad[:, 5].all()
        assert bad[7].all()
        assert not np.delete(np.delete(bad, 5, axis=1), 7, axis=0).any()


def test_steps_of_several_trials_in_one_program(rng, variant):
    steps = [step(rng, batch=20, rows=64, columns=70, n_states=1, of_bytes=False) for _ in range(3)]
    stacked = jax.tree.map(lambda *each: np.stack(each), *steps)
    together = jax.jit(jax.vmap(lambda *each: ops.update(*each)))(*stacked)
    for lane, each in enumerate(steps):
        for one, other in zip(together, ops.update(*each), strict=True):
            np.testing.assert_array_equal(one[lane], other)


def model(*layers):
    return keras.Sequential([keras.Input((80,)), *layers])


def found(built, optimizer, batch=32):
    optimizer.build(built.trainable_variables)
    return [each.layer for each in fused_optimizer.fused(built, optimizer, batch)]


def test_wide_dense_layers_are_updated_by_kernels(native_kernels):
    built = model(
        Dense(64, name="first", kernel_regularizer="l1l2"),
        Dense(63, name="narrow"),
        Dense(90, name="shrunk", kernel_constraint="max_norm"),
        Dense(90, name="odd", kernel_regularizer="orthogonal_regularizer"),
        Dense(64, name="last", use_bias=False),
    )
    for optimizer in ("SGD", "RMSprop", "Adam", "AdamW"):
        assert found(built, getattr(keras.optimizers, optimizer)()) == ["first", "last"]


@pytest.mark.parametrize(
    "kind, arguments",
    [
        ("SGD", {"momentum": 0.9}),
        ("RMSprop", {"centered": True}),
        ("RMSprop", {"momentum": 0.5}),
        ("Adam", {"amsgrad": True}),
        ("Adam", {"clipnorm": 1.0}),
        ("AdamW", {"clipvalue": 1.0}),
        ("SGD", {"global_clipnorm": 1.0}),
        ("Nadam", {}),
    ],
)
def test_what_kernels_do_not_know_is_left_to_keras(kind, arguments, native_kernels):
    assert found(model(Dense(64)), getattr(keras.optimizers, kind)(**arguments)) == []


def test_so_are_large_batches_shared_layers_and_frozen_ones(native_kernels):
    assert found(model(Dense(64)), keras.optimizers.Adam(), batch=801) == []
    inputs = keras.Input((64,))
    twice = Dense(64)
    shared = keras.Model(inputs, twice(twice(inputs)))
    assert found(shared, keras.optimizers.Adam()) == []
    frozen = model(Dense(64, name="frozen", trainable=False), Dense(64, name="free"))
    assert found(frozen, keras.optimizers.Adam()) == ["free"]


def test_so_are_models_within_models(native_kernels):
    """Whose layers may have the same names."""
    nested = model(keras.Sequential([Dense(64, name="same")]), Dense(64, name="same"))
    assert found(nested, keras.optimizers.Adam()) == []


@pytest.mark.parametrize("first", ["pixels", "half"])
def test_what_is_not_multiplied_as_two_matrices_is_left_to_keras(
    first, rng, native_kernels, tmp_path
):
    """A dense layer of every pixel, or in half precision."""
    layer = {"pixels": "Dense(64)", "half": "Dense(64, dtype='mixed_float16')"}[first]
    flat = "keras.layers.Flatten(), " if first == "half" else ""
    (tmp_path / "builder.py").write_text(
        "import keras\nfrom keras.layers import Dense, Flatten\n"
        "def make(input_shape, n_classes):\n"
        f"    return keras.Sequential([keras.Input(input_shape), {flat}{layer}, Flatten(), "
        "Dense(n_classes, activation='softmax', dtype='float32')])\n"
    )
    channels = 64 if first == "pixels" else 1
    side = 3 if first == "pixels" else 8
    mapping = {
        "name": "r",
        "data": "digits",
        "models": {"m": {"python": f"{tmp_path}/builder.py:make", "training": {"epochs": 1}}},
    }
    declared = recipe.parse(mapping, origin="r", folder=tmp_path).models["m"]
    images = rng.integers(0, 256, (40, side, side, channels), np.uint8)
    labels = np.arange(40) % 10
    data = Development(images, labels, images[:0], labels[:0], 255.0, 10)
    assert Trainer(declared, data, seed=0, selection="last").epoch().finite


def test_without_kernels_keras_updates_all(monkeypatch):
    monkeypatch.setattr(ops, "loaded", lambda: False)
    assert found(model(Dense(64)), keras.optimizers.Adam()) == []


@pytest.mark.parametrize("kind", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_the_private_names_of_keras_that_updates_need(kind, monkeypatch):
    """Without them Keras updates all; this test says which version of Keras took them away."""
    monkeypatch.setattr(ops, "loaded", lambda: True)
    names = found(model(Dense(64, name="first")), getattr(keras.optimizers, kind)())
    assert names == ["first"], f"Keras {keras.__version__} keeps the state of {kind} elsewhere"


@pytest.mark.parametrize("change", ["renamed", "shorter", "more"])
def test_an_optimizer_that_keeps_its_state_elsewhere_updates_all_itself(change, monkeypatch):
    monkeypatch.setattr(ops, "loaded", lambda: True)
    optimizer, built = keras.optimizers.Adam(), model(Dense(64))
    optimizer.build(built.trainable_variables)
    if change == "renamed":
        del optimizer._velocities
    elif change == "shorter":
        optimizer._velocities.pop()
    else:
        optimizer._track_variable(keras.Variable(0.0))
    assert fused_optimizer.fused(built, optimizer, 32) == ()


def test_a_layer_that_is_called_twice_is_updated_by_keras(monkeypatch):
    monkeypatch.setattr(ops, "loaded", lambda: True)
    image = keras.Input((64,))
    shared, alone = Dense(64, name="shared"), Dense(64, name="alone")
    built = keras.Model(image, alone(shared(shared(image))))
    assert found(built, keras.optimizers.Adam()) == ["alone"]
