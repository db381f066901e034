"""Several trials of a model in one program, as on a GPU; here on the CPU.

Oracle: the same trials by themselves, and with other mates, bit for bit or to rounding.
Cost: 30 s, nearly all of it compiling. Run: pytest tests/training/test_multi_trial.py
"""

from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff.recipe.architecture import describe
from bakeoff.training import multi_trial
from bakeoff.training.layers import context
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import MLP, declare, development, trained

CNN = [
    {"random_translation": {"height_factor": 0.2, "width_factor": 0.2}},
    {"conv2d": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    {"max_pooling2d": 2},
    "batch_normalization",
    {"gaussian_noise": 0.1},
    {"dropout": 0.3},
]
EVERYTHING = [
    *({"random_rotation": 0.05}, {"random_zoom": 0.1}, {"random_contrast": 0.2}),
    *({"random_brightness": 0.1}, {"random_crop": {"height": 5, "width": 5}}, {"cutout": 2}),
    {"dense": {"units": 8, "activation": "tanh"}},
]
OPTIONS = {"label_smoothing": 0.1, "mixup": 0.3, "class_weight": "balanced", "epochs": 2}
AVERAGED = {"sgd": {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.8}}
MODELS = {"mlp": declare(), "cnn": declare(CNN)}
ON_A_GPU = ("cnn", "gpu")  # computed by patches and slices, as several lanes are there


@pytest.fixture
def device(request, monkeypatch):
    """Compute layers as on this device; programs made for the other are forgotten."""
    if request.param == "gpu":
        monkeypatch.setattr(context.jax, "default_backend", lambda: "gpu")
    multi_trial._programs.cache_clear()
    yield
    multi_trial._programs.cache_clear()


def group(model, seeds, *, lanes=4, epochs=None, selection="best-loss", data=None):
    data = multi_trial.resident(data or development())
    trainers = [Trainer(model, data, seed=seed, selection=selection) for seed in seeds]
    for _ in range(epochs or model.training.epochs):
        multi_trial.epoch([each for each in trainers if not each.done], lanes=lanes)
    return trainers


def weights(trainer):
    return trainer.result().weights


def equal(a, b):
    return all(a[name].tobytes() == b[name].tobytes() for name in a)


OF_SGD = {  # Adam would magnify the rounding of small gradients
    "mlp": declare(MLP, optimizer="sgd"),
    "cnn": declare(CNN, optimizer="sgd"),
    "everything": declare(EVERYTHING, **OPTIONS, optimizer=AVERAGED),
}


@pytest.mark.parametrize(
    ("name", "device"), [*((name, "cpu") for name in OF_SGD), ON_A_GPU], indirect=["device"]
)
def test_a_trial_ends_where_it_ends_alone(name, device):
    model = OF_SGD[name]
    for trainer, seed in zip(group(model, (0, 1, 5)), (0, 1, 5), strict=True):
        ours = trainer.result()
        alone = trained(Trainer(model, development(), seed=seed, selection="best-loss"))
        assert ours.selected_epoch == alone.selected_epoch
        for key in alone.weights:
            np.testing.assert_allclose(ours.weights[key], alone.weights[key], atol=2e-4)
        np.testing.assert_allclose(ours.validation, alone.validation, atol=2e-4)
        for here, there in zip(ours.history, alone.history, strict=True):
            assert here.loss == pytest.approx(there.loss, abs=2e-4)
            assert here.val_cross_entropy == pytest.approx(there.val_cross_entropy, abs=2e-4)
            assert here.learning_rate == there.learning_rate


@pytest.mark.parametrize(
    ("name", "device"), [*((name, "cpu") for name in MODELS), ON_A_GPU], indirect=["device"]
)
def test_a_trial_does_not_depend_on_its_mates_or_its_lane(name, device):
    first, second, third = (weights(each) for each in group(MODELS[name], (0, 1, 2)))
    swapped = [weights(each) for each in group(MODELS[name], (2, 7, 8, 0))]
    assert equal(swapped[3], first) and equal(swapped[0], third)
    assert equal(weights(group(MODELS[name], (1,))[0]), second)
    assert not equal(first, second)


def test_a_trial_may_be_at_another_epoch_than_its_mates():
    model, data = MODELS["mlp"], multi_trial.resident(development())
    whole = weights(group(model, (3,))[0])
    late = Trainer(model, data, seed=3, selection="best-loss")
    early = group(model, (4,), epochs=2, data=data)[0]
    for _ in range(model.training.epochs):
        multi_trial.epoch([each for each in (early, late) if not each.done], lanes=4)
    assert early.done and late.done
    assert equal(weights(late), whole)
    assert equal(weights(early), weights(group(model, (4,))[0]))


def test_a_trial_that_diverges_ends_alone():
    """Seed 0 has one epoch behind it when its weights are made to explode; seed 1 goes on."""
    data = multi_trial.resident(development())
    first, second = (Trainer(MODELS["mlp"], data, seed=seed, selection="last") for seed in (0, 1))
    multi_trial.epoch([first, second], lanes=2)
    kept = weights(first)
    first.state = ([leaf * np.nan for leaf in first.state[0]], *first.state[1:])
    multi_trial.epoch([first, second], lanes=2)
    assert first.done and not second.done
    assert first.result().diverged_epoch == 1 and not first.history[1].finite
    assert np.isnan(first.history[1].val_loss)
    assert equal(weights(first), kept)
    while not second.done:
        multi_trial.epoch([second], lanes=2)
    assert equal(weights(second), weights(group(MODELS["mlp"], (1,), lanes=2, selection="last")[0]))


def test_without_validation_images_the_last_epoch_is_kept():
    data = development(validation=0)
    trainer = group(MODELS["mlp"], (0, 1), selection="last", data=data)[1]
    assert trainer.result().validation is None
    assert trainer.result().selected_epoch == MODELS["mlp"].training.epochs - 1


@pytest.mark.parametrize(("free", "lanes"), [(None, 32), (1e12, 32), (4e6, 16), (1, 1)])
def test_lanes_fit_into_the_device_memory(monkeypatch, free, lanes):
    stats = free and {"bytes_limit": free + 1000, "bytes_in_use": 1000}
    device = SimpleNamespace(memory_stats=lambda: stats)
    monkeypatch.setattr(multi_trial.jax, "local_devices", lambda: [device])
    model = declare([{"dense": 512}, {"dense": 12}])  # about 100 kB in all
    monkeypatch.setattr(multi_trial, "training_bytes", lambda *a, **k: 100_000)
    assert multi_trial.fitting(model, development(), 32) == lanes


def test_patches_of_the_largest_convolution_are_counted():
    """Of 6×6 images, 3×3 windows: 16 of 9 pixels, then 4 of 9 of 5 channels; 250 at a time."""
    model = declare([{"conv2d": {"filters": n, "kernel_size": 3}} for n in (5, 9)])
    layers = describe(model, (6, 6, 1), 3)
    assert multi_trial._patch_bytes(layers, (6, 6, 1), 16) == 4 * 250 * max(16 * 9, 4 * 45)
    assert multi_trial._patch_bytes(layers, (6, 6, 1), 200) == 4 * 400 * 180
