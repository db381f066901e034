"""A network that predicts again and again: any number of images, few programs.

Oracle: `predict`, which saved predictions come from. Cost: 3 s.
Run: pytest tests/training/test_predictor.py
"""

import re

import keras
import numpy as np
import pytest

from bakeoff.errors import UsageError
from bakeoff.recipe import parse
from bakeoff.training.backend import as_planned
from bakeoff.training.plain_model import plain_model
from bakeoff.training.predict import predict
from bakeoff.training.predictor import SIZES, Predictor
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import declare, development

MODEL = declare()
DATA = development(n=300, validation=0)
SHAPE = {"input_shape": (6, 6, 1), "n_classes": 3, "maximum": 255.0}


@pytest.fixture(scope="module")
def weights():
    return [Trainer(MODEL, DATA, seed=k, selection="last").result().weights for k in (0, 1)]


@pytest.fixture(scope="module")
def predictor(weights):
    return Predictor(MODEL, weights, **SHAPE)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 300])
def test_any_number_of_images_is_predicted_as_by_predict(predictor, weights, count):
    images = DATA.train_images[:count]
    found = predictor(images)
    assert found.shape == (2, count, 3) and found.dtype == np.float32
    for one, each in zip(found, weights, strict=True):
        if count:
            expected = predict(MODEL, each, images, maximum=255.0, n_classes=3)
            np.testing.assert_allclose(one, expected, atol=1e-6)


def test_a_builders_model_whose_call_is_not_told_whether_it_trains(tmp_path):
    builder = tmp_path / "own.py"
    builder.write_text(
        "import keras\n\n"
        "class Own(keras.Model):\n"
        "    def __init__(self, n):\n"
        "        super().__init__()\n"
        "        self.flat = keras.layers.Flatten()\n"
        "        self.out = keras.layers.Dense(n, activation='softmax')\n"
        "    def call(self, x):\n"
        "        return self.out(self.flat(x))\n\n"
        "def build(shape, n):\n"
        "    return Own(n)\n"
    )
    model = MODEL.model_copy(update={"layers": (), "python": f"{builder}:build"})
    weights = Trainer(model, DATA, seed=0, selection="last").result().weights
    images = DATA.train_images[:5]
    expected = predict(model, weights, images, maximum=255.0, n_classes=3)
    np.testing.assert_allclose(Predictor(model, [weights], **SHAPE)(images)[0], expected, atol=1e-6)


def test_all_sizes_are_compiled_beforehand(weights):
    fresh = Predictor(MODEL, weights[:1], **SHAPE)
    fresh.warm_up((6, 6, 1), np.uint8)
    assert fresh._run._cache_size() == len(SIZES)
    fresh(DATA.train_images)
    assert fresh._run._cache_size() == len(SIZES)


def test_what_a_notebook_set_in_keras_changes_no_prediction(weights, predictor):
    """With `channels_first`, whether from a cell or ~/.keras/keras.json, it said wrong classes."""
    images = DATA.train_images[:5]
    expected = predictor(images)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_float16")
    try:
        found = Predictor(MODEL, weights, **SHAPE)(images)
        plain = plain_model(MODEL, weights[:1], **SHAPE)
        assert plain.compute_dtype == "float32"
        scored = np.asarray(plain(images))
    finally:
        as_planned()
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(scored, expected[0], atol=1e-5)


def test_keras_on_another_backend_is_refused(weights, monkeypatch):
    """A notebook that had imported Keras on TensorFlow got JAX's traceback from predict."""
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(UsageError, match=r"^expected Keras on JAX, found Keras on tensorflow: "):
        Predictor(MODEL, weights, **SHAPE)


def test_weights_of_another_model_are_refused(weights):
    text = re.escape("these weights are of another model")
    with pytest.raises(ValueError, match=f"^{text}$"):
        Predictor(MODEL, [weights[0], {}], **SHAPE)


MANY = """
import keras

class Many(keras.layers.Layer):
    def build(self, shape):
        self.scales = [self.add_weight(shape=(), initializer="ones") for _ in range(1000)]
        self.scales.append(self.add_weight(shape=(), name=f"{self.name}_last"))

    def call(self, values):
        return self.scales[0] * values

def build(shape, n_classes):
    layers = [keras.layers.Flatten(), Many(), keras.layers.Dense(n_classes, "softmax")]
    return keras.Sequential([keras.Input(shape), *layers])
"""


def test_a_network_of_more_than_a_thousand_weights_predicts(tmp_path):
    """As nasnet_mobile has; numbers of four digits sort before those of three. And without names:
    Keras counts those in a process, so that no second network had them again."""
    (tmp_path / "many.py").write_text(MANY)
    mapping = {"name": "m", "data": "digits", "models": {"m": {"python": "many.py:build"}}}
    model = parse(mapping, origin="m", folder=tmp_path).models["m"]
    weights = Trainer(model, DATA, seed=0, selection="last").result().weights
    assert sorted(weights) != list(weights)
    images = DATA.train_images[:3]
    expected = predict(model, weights, images, maximum=255.0, n_classes=3)
    found = Predictor(model, [weights], **SHAPE)(images)
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
