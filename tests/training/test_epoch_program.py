"""An epoch as one program: its steps, a last batch that is smaller, numbers that are not finite.

Oracle: softmax regression trained by hand, in NumPy. Cost: 3 s, compiling.
Run: pytest tests/training/test_epoch_program.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import jax
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import declare, development

SOFTMAX_REGRESSION = declare([], optimizer="sgd", rate=0.5)


def trainer(seed, n=20):
    return Trainer(SOFTMAX_REGRESSION, development(n=n), seed=seed, selection="last")


def by_hand(kernel, bias, images, labels, batches):
    losses, correct = [], 0
    for rows in batches:
        x, truth = images[rows].reshape(len(rows), -1) / 255, labels[rows]
        powers = np.exp(x @ kernel + bias)
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        losses += [-np.log(probabilities[np.arange(len(rows)), truth])]
        correct += (probabilities.argmax(axis=1) == truth).sum()
        gradient = (probabilities - np.eye(3)[truth]) / len(rows)
        kernel, bias = kernel - 0.5 * x.T @ gradient, bias - 0.5 * gradient.sum(axis=0)
    return kernel, bias, np.concatenate(losses).mean(), correct / len(labels)


def test_an_epoch_steps_through_full_batches_and_then_through_what_is_left():
    one, data = trainer(0), development(n=20)
    order, key, rate = one.draws()
    state, loss, accuracy = one.program.epoch(
        one.state, one.images, one.labels, order, key, rate, ()
    )
    kernel, bias = (np.asarray(each, np.float64) for each in one.state[0])
    batches = (order[:16], order[16:])
    wanted = by_hand(kernel, bias, data.train_images, data.train_labels, batches)
    for found, expected in zip((*state[0], loss, accuracy), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_loss_is_nan_where_a_weight_is_not_finite():
    one = trainer(0)
    order, key, _ = one.draws()
    _, loss, _ = one.program.epoch(
        one.state, one.images, one.labels, order, key, np.float32(np.inf), ()
    )
    assert np.isnan(loss)


def test_one_program_serves_all_seeds_on_as_many_images():
    first = trainer(0).program
    assert trainer(1).program is first
    assert trainer(0, n=21).program is not first


def test_one_program_serves_all_lengths_of_training():
    """A search may try several numbers of epochs, and a study a model with each."""

    def made(**training):
        model = declare([], optimizer="sgd", **training)
        return Trainer(model, development(n=20), seed=0, selection="last").program

    program = made(epochs=4)
    assert made(epochs=9, patience=2) is program
    assert made(epochs=4, label_smoothing=0.1) is not program


def test_one_program_serves_all_learning_rates_and_dropout_rates():
    """So a search compiles one for all settings that differ in nothing else."""

    def dropping(*rates, rate=0.05):
        layers = [{"dropout": rates[0]}, {"residual": [{"dropout": rates[1]}]}]
        return Trainer(declare(layers, rate=rate), development(), seed=0, selection="last")

    half = dropping(0.5, 0.5)
    program = half.program
    assert dropping(0.1, 0.9, rate=0.2).program is program
    assert dropping(0.0, 0.9).program is not program  # a program without that layer
    result = program.epoch(half.state, half.images, half.labels, *half.draws(), half.dropped)
    constant = program.epoch(half.state, half.images, half.labels, *half.draws(), ())  # of its own
    for one, other in zip(*map(jax.tree.leaves, (result, constant)), strict=True):
        np.testing.assert_array_equal(one, other)
    other = dropping(0.1, 0.9)
    _, loss, _ = program.epoch(
        other.state, other.images, other.labels, *other.draws(), other.dropped
    )
    assert loss != result[1]


def test_probabilities_losses_and_no_regularization_of_the_validation_images():
    one, data = trainer(0), development(n=20)
    probabilities, losses, regularization = one.program.evaluate(
        *one.program.scored(one.state), one.validation, one.validation_labels
    )
    of_truth = np.asarray(probabilities)[np.arange(30), data.validation_labels]
    np.testing.assert_allclose(losses, -np.log(of_truth), rtol=1e-5)
    assert float(regularization) == pytest.approx(0)
