"""What training minimises, against Keras's losses, class weights, mixing and averages.

Oracle: keras.Model.fit with class_weight and CategoricalCrossentropy(label_smoothing), Keras's
MixUp, SwapEMAWeights's averages by hand; scikit-learn's balanced weights; scipy's beta.
Cost: 15 s, nearly all of it compiling. Run: pytest tests/training/test_objective.py
"""

import numpy as np
import pytest
from scipy.stats import beta, kstest
from sklearn.utils.class_weight import compute_class_weight

from bakeoff.recipe.vocabulary.training import TrainingOptions
from bakeoff.training.backend import jax, keras
from bakeoff.training.objective import blend, class_weights, mixed, training_loss
from bakeoff.training.trainer import Trainer
from tests.training.test_keras_parity import declare, development, in_order, native

SMALL = [{"dense": {"units": 12, "activation": "tanh"}}]


def fit_of_keras(model, data, optimizer, *, loss=None, epochs=2, **fitting):
    theirs = native(model, data, seed=3)
    theirs.compile(optimizer, loss or keras.losses.SparseCategoricalCrossentropy())
    losses = []
    for epoch, rate in enumerate(model.training.optimizer.learning_rates(epochs)):
        theirs.optimizer.learning_rate = float(rate)
        images, labels = in_order(data, seed=3, epoch=epoch)
        if loss is not None:
            labels = np.eye(data.n_classes, dtype=np.float32)[labels]
        settings = {"batch_size": 32, "shuffle": False, "verbose": 0, **fitting}
        losses += theirs.fit(images, labels, **settings).history["loss"]
    return theirs, losses


def trained(model, data):
    trainer = Trainer(model, data, seed=3, selection="last")
    while not trainer.done:
        trainer.epoch()
    return trainer.result()


def agree(ours, theirs, losses):
    for found, variable in zip(ours.weights.values(), theirs.trainable_variables, strict=True):
        np.testing.assert_allclose(found, variable.numpy(), atol=1e-4)
    np.testing.assert_allclose([each.loss for each in ours.history], losses, atol=1e-4)


def with_options(**options):
    model = declare(SMALL)
    training = model.training.model_copy(update={"options": TrainingOptions(**options)})
    return model.model_copy(update={"training": training})


@pytest.mark.parametrize("weights", [None, {0: 3.0, 1: 0.0}], ids=["smoothed", "and weighted"])
def test_smoothed_and_weighted_labels_train_as_in_keras(weights, rng):
    data = development(rng)
    names = tuple(str(label) for label in range(10))
    by_name = weights and {names[label]: weight for label, weight in weights.items()}
    model = with_options(label_smoothing=0.2, class_weight=by_name)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    full = weights and {label: weights.get(label, 1.0) for label in range(10)}
    theirs, losses = fit_of_keras(
        model, data, keras.optimizers.Adam(), loss=loss, class_weight=full
    )
    named = type(data)(*[getattr(data, each) for each in data.__dataclass_fields__][:6], names)
    agree(trained(model, named), theirs, losses)


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.repeat([0, 1, 3], [50, 20, 5])
    found = class_weights(TrainingOptions(class_weight="balanced"), None, labels, 4)
    expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=labels)
    np.testing.assert_allclose(np.asarray(found)[[0, 1, 3]], expected, rtol=1e-6)
    probabilities = np.full((4, 4), 0.25, np.float32)
    loss = training_loss(TrainingOptions(), np.array([0, 1, 3, 3]), probabilities, found)
    by_hand = np.log(4) * (expected[0] + expected[1] + 2 * expected[2]) / 4
    np.testing.assert_allclose(loss, by_hand, rtol=1e-6)


def test_scored_are_the_moving_averages_of_keras(rng):
    data = development(rng)
    averaging = {"use_ema": True, "ema_momentum": 0.9}
    model = declare(SMALL, epochs=1, **averaging)
    optimizer = keras.optimizers.Adam(**averaging)  # whose fit ends in the averages
    theirs, losses = fit_of_keras(model, data, optimizer, epochs=1)
    ours = trained(model, data)
    agree(ours, theirs, losses)
    plain = trained(declare(SMALL, epochs=1), data)
    far = [np.abs(ours.weights[name] - plain.weights[name]).max() for name in plain.weights]
    assert max(far) > 0.01
    assert ours.history[0].loss == pytest.approx(plain.history[0].loss, abs=1e-5)  # trained alike


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # of Keras's MixUp
def test_images_and_labels_are_mixed_as_by_keras(rng):
    images = rng.random((8, 5, 4, 2), np.float32)
    labels = np.arange(8) % 3
    layer = keras.layers.MixUp(alpha=0.4)
    drawn = layer.get_random_transformation(images, seed=5)
    order, shares = np.asarray(drawn["permutation_order"]), np.asarray(drawn["mix_weight"])
    one_hot = np.eye(3, dtype=np.float32)[labels]
    expected = layer.transform_images(images, drawn), layer.transform_labels(one_hot, drawn)
    np.testing.assert_allclose(blend(images, order, shares), expected[0], atol=1e-6)
    np.testing.assert_allclose(blend(one_hot, order, shares), expected[1], atol=1e-6)


def test_shares_of_mixing_have_their_distribution():
    labels = np.arange(4000)
    images = np.ones((4000, 1, 1, 1), np.float32)
    key = jax.random.key(1)
    _, targets = jax.jit(lambda: mixed(images, labels, key, alpha=0.3, n_classes=4000))()
    shares = np.asarray(targets)[labels, labels]
    shares = shares[shares < 1]  # a few were mixed with themselves
    assert len(shares) > 3900
    assert kstest(shares, beta(0.3, 0.3).cdf).pvalue > 1e-3
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)


def test_a_mixed_trial_learns_and_repeats(rng):
    data = development(rng)
    first, again = (trained(with_options(mixup=0.4), data) for _ in range(2))
    assert all((first.weights[name] == again.weights[name]).all() for name in first.weights)
    assert first.history[1].loss < first.history[0].loss < 3
