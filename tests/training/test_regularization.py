"""The validation loss includes regularization losses as keras.Model.evaluate does.

Oracle: keras.Model.evaluate. Cost: 8 s. Run: pytest tests/training/test_regularization.py
"""

import pytest

from bakeoff.recipe import parse
from bakeoff.training.backend import keras
from bakeoff.training.build_model import build
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import development

BUILDER = """
import keras
from keras import layers

def build(shape, n):
    return keras.Sequential([
        keras.Input(shape),
        layers.Flatten(),
        layers.Dense(5, {arguments}),
        layers.Dense(n, activation="softmax"),
    ])
"""
ARGUMENTS = {
    "activity": "activation='relu', activity_regularizer=keras.regularizers.L2(0.1)",
    "both": "activity_regularizer=keras.regularizers.L1(0.1), kernel_regularizer='l2'",
    "weights": "kernel_regularizer='l2'",
    "none": "activation='relu'",
}


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_validation_loss_is_that_of_keras(arguments, tmp_path):
    (tmp_path / "mine.py").write_text(BUILDER.replace("{arguments}", ARGUMENTS[arguments]))
    training = {"epochs": 1, "batch_size": 16, "optimizer": {"sgd": {"learning_rate": 0.05}}}
    models = {"mine": {"python": "mine.py:build", "training": training}}
    mapping = {"name": "test", "data": "digits", "models": models}
    model = parse(mapping, origin="test", folder=tmp_path).models["mine"]
    data = development(validation=40)  # two batches and a half
    trainer = Trainer(model, data, seed=0, selection="last")
    result = trainer.epoch()

    network = build(model, data.input_shape, data.n_classes, seed=0)
    network.set_weights(list(trainer.result().weights.values()))
    network.compile(loss=keras.losses.SparseCategoricalCrossentropy())
    images = data.validation_images.astype("float32") / data.maximum
    expected = network.evaluate(images, data.validation_labels, batch_size=16, verbose=0)
    assert result.val_loss == pytest.approx(expected, rel=1e-5)
