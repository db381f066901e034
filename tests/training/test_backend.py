"""How Keras and JAX are set up.

Oracle: the options that are passed on. Cost: 1 s.

Run: pytest tests/training/test_backend.py
"""

import random
import re

import keras
import numpy as np
import pytest

from bakeoff.errors import UsageError
from bakeoff.training import backend


def test_an_option_that_xla_does_not_know_is_left_out(monkeypatch):
    backend.compiler_options.cache_clear()
    assert backend.compiler_options() == {"xla_cpu_copy_insertion_use_region_analysis": True}
    backend.compiler_options.cache_clear()
    monkeypatch.setattr(backend, "_FEWER_COPIES", {"xla_cpu_no_such_option": True})
    assert backend.compiler_options() == {}
    backend.compiler_options.cache_clear()


def test_what_a_keras_json_says_changes_no_network():
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.1)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_float16")
    backend.as_planned()
    assert keras.config.floatx() == keras.config.dtype_policy().name == "float32"
    assert keras.config.epsilon() == 1e-7
    assert keras.config.image_data_format() == "channels_last"


def test_a_network_is_built_as_it_was_trained_and_the_callers_settings_stay():
    """A Predictor built after `channels_first` predicted wrong classes in silence."""
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_float16")
    np.random.seed(1)
    try:
        before = random.getstate(), np.random.get_state()[1].tolist()
        with backend.as_trained():
            assert keras.config.image_data_format() == "channels_last"
            assert keras.config.dtype_policy().name == "float32"
            keras.utils.set_random_seed(0)  # as for a builder
        assert keras.config.image_data_format() == "channels_first"
        assert keras.config.dtype_policy().name == "mixed_float16"
        assert before == (random.getstate(), np.random.get_state()[1].tolist())
    finally:
        backend.as_planned()


def test_keras_with_nnx_is_refused_by_name(monkeypatch):
    """B2: its layers keep their state otherwise."""
    monkeypatch.setattr(keras.config, "is_nnx_enabled", lambda: True, raising=False)
    text = (
        "expected Keras without NNX, found it switched on: take nnx_enabled out of "
        "~/.keras/keras.json, or unset KERAS_NNX_ENABLED"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        backend.start("cpu")


def test_keras_with_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    text = (
        "expected Keras on JAX, found Keras on torch: this process imported Keras with it: set "
        "KERAS_BACKEND=jax before anything imports Keras, or use another process for this"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        backend.start("cpu")
