"""One trial in progress: which epoch it keeps, how it diverges, stops and goes on.

Oracle: the rules of the protocol, played through with validation scores that are given; bits.
Cost: 15 s, nearly all of it compiling. Run: pytest tests/training/test_trainer.py
"""

import json

import numpy as np
import pytest

from bakeoff.training import trainer as engine
from bakeoff.training.predict import predict
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import declare, development, trained


def same(a, b):
    """Say whether two results agree in every bit."""
    weights = all(a.weights[k].tobytes() == b.weights[k].tobytes() for k in a.weights)
    validation = (
        a.validation is b.validation is None or a.validation.tobytes() == b.validation.tobytes()
    )
    return weights and validation and repr(a.history) == repr(b.history)


# ── selection ────────────────────────────────────────────────────────────────────────────────


def test_validation_scores_are_those_of_the_selected_weights():
    data, model = development(), declare()
    result = trained(Trainer(model, data, seed=1, selection="best-loss"))
    chosen = result.history[result.selected_epoch]
    labels = data.validation_labels
    losses = -np.log(result.validation[np.arange(len(labels)), labels].astype(np.float64))
    assert chosen.val_cross_entropy == pytest.approx(losses.mean(), abs=1e-6)
    assert chosen.val_accuracy == (result.validation.argmax(axis=1) == labels).mean()
    assert chosen.val_cross_entropy == min(each.val_cross_entropy for each in result.history)
    assert result.validation.dtype == np.float32
    assert result.validation.shape == (30, 3)
    again = predict(model, result.weights, data.validation_images, maximum=255.0, n_classes=3)
    np.testing.assert_allclose(again, result.validation, atol=1e-6)


def test_without_a_validation_part_the_last_epoch_is_kept():
    data = development(validation=0)
    result = trained(Trainer(declare(), data, seed=0, selection="last"))
    assert result.selected_epoch == 3
    assert result.validation is None
    for each in result.history:
        assert (each.val_loss, each.val_cross_entropy, each.val_accuracy) == (None, None, None)
        assert each.finite


def test_batch_normalization_of_batches_of_one_image():
    """Of one value the variance is 0: the moving one decays as 0.99^steps, and all stays finite."""
    model = declare(["flatten", "batch_normalization"], batch_size=1, epochs=1)
    result = trained(Trainer(model, development(n=9), seed=0, selection="best-loss"))
    assert all(np.isfinite(each).all() for each in result.weights.values())
    assert np.isfinite(result.validation).all()
    moving = next(each for name, each in result.weights.items() if "moving_variance" in name)
    np.testing.assert_allclose(moving, 0.99**9, rtol=1e-5)


# ── divergence ───────────────────────────────────────────────────────────────────────────────

# A regularizer makes weights explode at a huge rate; Keras's clipped cross-entropy alone does not.
EXPLODING = {
    "layers": [{"dense": {"units": 8, "kernel_regularizer": {"l2": 0.01}}}],
    "optimizer": "sgd",
}


def test_a_run_that_diverges_at_once_stops_and_keeps_its_initial_weights():
    data, model = development(), declare(**EXPLODING, rate=1e6)
    trainer = Trainer(model, data, seed=0, selection="best-loss")
    start = trainer.result().weights
    result = trained(trainer)
    assert (result.selected_epoch, result.diverged_epoch, len(result.history)) == (None, 0, 1)
    assert not result.history[0].finite
    assert all(result.weights[name].tobytes() == start[name].tobytes() for name in start)
    assert np.isfinite(result.validation).all()


@pytest.mark.parametrize("rule", ["best-loss", "last"])
def test_a_run_that_diverges_later_keeps_an_epoch_from_before(rule):
    rates = [{"epochs": 2, "constant": 0.01}, {"constant": 1e6}]
    data, model = development(), declare(**EXPLODING, rate=rates, epochs=6)
    result = trained(Trainer(model, data, seed=0, selection=rule))
    assert (result.selected_epoch, result.diverged_epoch, len(result.history)) == (1, 2, 3)
    assert [each.finite for each in result.history] == [True, True, False]
    assert all(np.isfinite(array).all() for array in result.weights.values())
    chosen = result.history[1].val_accuracy
    assert (result.validation.argmax(axis=1) == data.validation_labels).mean() == chosen


# ── seeds ────────────────────────────────────────────────────────────────────────────────────


def test_equal_seeds_agree_in_every_bit_and_others_do_not():
    data, model = development(), declare()
    first, again, other = (
        trained(Trainer(model, data, seed=seed, selection="last")) for seed in (3, 3, 4)
    )
    assert same(first, again)
    assert not same(first, other)


def test_a_seed_fixes_initial_weights_shuffling_and_dropout(monkeypatch):
    """Each differs between seeds also where the two others are held still."""
    data = development()
    dropout = declare([{"dropout": 0.5}], epochs=1)
    plain = declare([{"dense": 8}], epochs=1)

    def weights(model, seed):
        return trained(Trainer(model, data, seed=seed, selection="last")).weights

    def initial(model, seed):
        return Trainer(model, data, seed=seed, selection="last").result().weights

    def agree(a, b):
        return all(a[name].tobytes() == b[name].tobytes() for name in a)

    assert not agree(initial(plain, 0), initial(plain, 1))
    build = engine.build
    monkeypatch.setattr(engine, "build", lambda *a, seed: build(*a, seed=0))
    assert agree(initial(plain, 0), initial(plain, 1))
    assert not agree(weights(plain, 0), weights(plain, 1))
    generator = np.random.default_rng

    def one_order(seed):
        return generator([0, seed[1]] if isinstance(seed, list) else seed)

    monkeypatch.setattr(np.random, "default_rng", one_order)
    assert agree(weights(plain, 0), weights(plain, 1))
    assert not agree(weights(dropout, 0), weights(dropout, 1))


# ── stopping and going on ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule", ["best-loss", "best-accuracy", "last"])
@pytest.mark.parametrize("stop", [1, 3])
def test_a_trial_that_was_stopped_goes_on_as_if_it_had_not_been(rule, stop):
    data, model = development(), declare()
    whole = trained(Trainer(model, data, seed=5, selection=rule))
    first = Trainer(model, data, seed=5, selection=rule)
    for _ in range(stop):
        first.epoch()
    arrays, document = first.checkpoint()
    second = Trainer(model, data, seed=5, selection=rule)
    second.restore(arrays, json.loads(json.dumps(document)))
    assert second.history == first.history
    resumed = trained(second)
    assert same(whole, resumed)
    assert whole.selected_epoch == resumed.selected_epoch


def test_a_checkpoint_of_another_model_is_refused_and_nothing_is_changed():
    data = development()
    arrays, document = Trainer(declare([{"dense": 9}]), data, seed=0, selection="last").checkpoint()
    trainer = Trainer(declare([{"dense": 8}]), data, seed=0, selection="last")
    before = trainer.checkpoint()
    with pytest.raises(ValueError, match=r"^this checkpoint is of another model$"):
        trainer.restore(arrays, document)
    with pytest.raises(ValueError, match=r"^this checkpoint is of another model$"):
        trainer.restore({}, document)
    after = trainer.checkpoint()
    assert all((before[0][key] == after[0][key]).all() for key in before[0])
    assert before[1] == after[1]
