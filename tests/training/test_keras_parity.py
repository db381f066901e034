"""The engine against keras.Model.fit, epoch by epoch and weight by weight.

Cost: about 45 s. Run: pytest tests/training/test_keras_parity.py
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bakeoff.recipe import parse
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS as KINDS
from bakeoff.training import backend
from bakeoff.training.backend import keras
from bakeoff.training.build_model import build
from bakeoff.training.epoch_program import program_of
from bakeoff.training.initializers import Drawn
from bakeoff.training.layers.replace import FASTER
from bakeoff.training.trainer import Development, Trainer

# No bias before the batch normalisation: its gradient is 0 but for rounding, which Adam blows up.
MLP = [
    {"dense": {"units": 24, "use_bias": False, "kernel_regularizer": {"l2": 0.001}}},
    "batch_normalization",
    {"activation": "relu"},
    {"dense": {"units": 16}},
    "p_re_lu",
]
CNN = [
    {"conv2d": {"filters": 6, "kernel_size": 3, "padding": "same", "activation": "tanh"}},
    {"max_pooling2d": {"pool_size": 3, "strides": 2}},
    {"conv2d": {"filters": 5, "kernel_size": [2, 3], "strides": [1, 2], "activation": "relu"}},
    {"average_pooling2d": {"pool_size": 2, "padding": "same"}},
    {"dense": {"units": 12, "kernel_regularizer": {"l1": 0.0001, "l2": 0.001}}},
    "elu",
]
WIDE = [  # enough channels and units for tiles, where the processor has them
    {"conv2d": {"filters": 24, "kernel_size": 3, "activation": "tanh"}},
    {"conv2d": {"filters": 40, "kernel_size": 3, "padding": "same", "activation": "tanh"}},
    {"dense": {"units": 70, "activation": "tanh"}},
    {"dense": {"units": 64, "kernel_regularizer": {"l2": 0.001}}},
]
WIDE_MLP = [
    {"dense": {"units": 70, "kernel_regularizer": {"l1": 0.0001, "l2": 0.001}}},
    {"activation": "tanh"},
    {"dense": {"units": 65, "activation": "tanh", "use_bias": False}},
    {"dense": {"units": 64, "activation": "tanh", "kernel_regularizer": {"l2": 0.001}}},
]
UPDATES = [  # by kernels, but for momentum: which rules they know, test_fused_optimizer.py says
    ("sgd", {}),
    ("sgd", {"weight_decay": 0.01}),
    ("sgd", {"momentum": 0.9}),
    ("rmsprop", {"rho": 0.8, "epsilon": 1e-5}),
    ("adam", {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4}),
    ("adamw", {"weight_decay": 0.1}),
]
OF_FLOATS = [UPDATES[0], UPDATES[2], UPDATES[3], UPDATES[5]]  # one for each number of states
FITTED = {}
RESNET = [
    {"conv2d": {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu6"}},
    {
        "residual": [
            {"separable_conv2d": {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same"}},
            {"group_normalization": 3},
            {"activation": "swish"},
            {"residual": [{"depthwise_conv2d": {"kernel_size": 3, "padding": "same"}}]},
        ]
    },
    {"activation": "leaky_relu"},
    "global_max_pooling2d",
    "layer_normalization",
    {"residual": [{"dense": {"units": 12, "activation": "tanh"}}]},
]
OPTIMIZERS = {
    "sgd": {"momentum": 0.9, "nesterov": True},
    "rmsprop": {"centered": True},
    "adam": {},
    "adamw": {"amsgrad": True, "beta_2": 0.5},  # so that it falls, too
    "nadam": {"clipnorm": 1.0},
    "lion": {"weight_decay": 0.01},
}


def declare(layers, optimizer="adam", *, epochs=2, batch_size=32, output=None, **arguments):
    rate = [{"epochs": 1, "constant": 0.01}, {"constant": 0.003}] if epochs > 1 else 0.01
    model = {
        "layers": layers,
        "output": output or {},
        "training": {
            "epochs": epochs,
            "batch_size": batch_size,
            "optimizer": {optimizer: {"learning_rate": rate, **arguments}},
        },
    }
    mapping = {"name": "test", "data": "digits", "models": {"model": model}}
    return parse(mapping, origin="test", folder=Path()).models["model"]


def development(rng, *, n=150, side=8, channels=1, validation=40):
    images = rng.integers(0, 256, (n + validation, side, side, channels), dtype=np.uint8)
    labels = rng.integers(0, 10, n + validation)
    return Development(images[:n], labels[:n], images[n:], labels[n:], 255.0, 10)


def native(model, data, *, seed):
    """The same network in Keras's own layers, with the engine's initial weights."""
    ours = build(model, data.input_shape, data.n_classes, seed=seed)
    own = {faster: theirs for theirs, faster in FASTER.items()}

    def plain(layer):
        config = {key: value for key, value in layer.get_config().items() if key != "index"}
        return own.get(type(layer), type(layer)).from_config(config)

    with keras.saving.custom_object_scope({"Drawn": Drawn}):
        theirs = keras.models.clone_model(ours, clone_function=plain)
    theirs.set_weights(ours.get_weights())
    assert not [each for each in theirs.layers if type(each) in own]
    return theirs


def in_order(data, *, seed, epoch):
    """The training images as the engine shuffles them in that epoch."""
    order = np.random.default_rng([seed, epoch]).permutation(len(data.train_labels))
    return data.train_images[order] / np.float32(data.maximum), data.train_labels[order]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_two_epochs_end_in_the_weights_of_keras_fit(optimizer, rng):
    same_as_keras_fit(MLP, optimizer, rng)


@pytest.mark.parametrize("optimizer", ["adam", "nadam"])  # which clips; none knows of layers
def test_so_do_they_with_convolutions(optimizer, rng):
    same_as_keras_fit(CNN, optimizer, rng)


def test_residuals_and_the_newer_layers_train_as_in_keras(rng):
    same_as_keras_fit(RESNET, "adam", rng)


@pytest.mark.parametrize("layers", [MLP, CNN], ids=["mlp", "cnn"])
def test_so_do_they_compiled_as_for_users(layers, rng, optimized):
    same_as_keras_fit(layers, "adam", rng)


@pytest.mark.parametrize("layers", [CNN, WIDE], ids=["cnn", "wide"])
def test_so_do_they_with_native_kernels(layers, rng, optimized, fresh_native):
    same_as_keras_fit(layers, "adam", rng)


@pytest.mark.parametrize(
    "optimizer, arguments, of_bytes",
    [*((*each, True) for each in UPDATES), *((*each, False) for each in OF_FLOATS)],
    ids=str,
)
def test_and_where_kernels_update_the_weights(optimizer, arguments, of_bytes, rng, fresh_native):
    same_as_keras_fit(WIDE_MLP, optimizer, rng, arguments=arguments, of_bytes=of_bytes)


@pytest.fixture
def optimized(monkeypatch):
    """Compile the engine's programs with XLA's own defaults, which tests/conftest.py lowers."""
    own = {"xla_backend_optimization_level": 3, "xla_cpu_use_fusion_emitters": True}
    monkeypatch.setattr(backend, "_FEWER_COPIES", backend._FEWER_COPIES | own)
    for cached in (backend.compiler_options, program_of):
        cached.cache_clear()
    assert backend.compiler_options() == backend._FEWER_COPIES
    yield
    for cached in (backend.compiler_options, program_of):
        cached.cache_clear()


@pytest.fixture
def fresh_native(native_kernels):
    program_of.cache_clear()  # compiled for the plain ones
    yield
    program_of.cache_clear()


def same_as_keras_fit(layers, optimizer, rng, *, arguments=None, of_bytes=True):
    arguments = OPTIMIZERS[optimizer] if arguments is None else arguments
    data = development(rng)
    if not of_bytes:
        as_floats = data.train_images.astype(np.float32), data.validation_images.astype(np.float32)
        data = replace(data, train_images=as_floats[0], validation_images=as_floats[1])
    model = declare(layers, optimizer, output={"kernel_regularizer": {"l2": 0.01}}, **arguments)
    trainer = Trainer(model, data, seed=3, selection="last")
    while not trainer.done:
        trainer.epoch()
    ours = trainer.result()

    histories, expected = keras_fit(model, data, optimizer, arguments)
    for name, value in zip(sorted(ours.weights), expected, strict=True):
        np.testing.assert_allclose(ours.weights[name], value, atol=1e-4, err_msg=name)
    for column in ("loss", "accuracy", "val_loss", "val_accuracy"):
        values = [getattr(each, column) for each in ours.history]
        np.testing.assert_allclose(
            values, [each[column][0] for each in histories], atol=1e-4, err_msg=column
        )


def keras_fit(model, data, optimizer, arguments):
    """Return the histories and weights of two epochs of Keras's `fit`; once for equal arguments."""
    pixels = data.train_images.astype(np.uint8).tobytes()
    key = (model.model_dump_json(), pixels, data.train_images.shape)
    if key not in FITTED:
        FITTED[key] = _keras_fit(model, data, optimizer, arguments)
    return FITTED[key]


def _keras_fit(model, data, optimizer, arguments):
    theirs = native(model, data, seed=3)
    theirs.compile(
        getattr(keras.optimizers, KINDS[optimizer].__name__)(**arguments),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    histories = []
    for epoch, rate in enumerate(model.training.optimizer.learning_rates(2)):
        theirs.optimizer.learning_rate = float(rate)
        validation = data.validation_images / np.float32(255), data.validation_labels
        fitted = theirs.fit(
            *in_order(data, seed=3, epoch=epoch),
            batch_size=32,
            shuffle=False,
            verbose=0,
            validation_data=validation,
            validation_batch_size=40,  # all of them: one program
        )
        histories.append(fitted.history)
    variables = (*theirs.trainable_variables, *theirs.non_trainable_variables)
    return histories, [variable.numpy() for variable in variables]


def test_images_in_a_file_are_used_where_they_lie(rng, tmp_path):
    data = development(rng)
    np.save(tmp_path / "images.npy", data.train_images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    shared = replace(data, train_images=mapped)
    trainer = Trainer(declare(["flatten"], epochs=1), shared, seed=0, selection="last")
    assert trainer.images.unsafe_buffer_pointer() == mapped.ctypes.data
