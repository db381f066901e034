"""What a training step tells the layers inside it, and that it is forgotten outside.

Oracle: by hand. Cost: 1 s. Run: pytest tests/training/layers/test_context.py
"""

import jax
import numpy as np
import pytest

from bakeoff.training.layers import context

IMAGES = np.zeros((2, 3, 3, 1), np.uint8)


def test_raw_pixels_are_known_inside_and_only_where_they_are_bytes():
    assert context.raw_pixels() is None
    with context.pixels(IMAGES, 16.0):
        assert context.raw_pixels() == (IMAGES, 16.0)
        with context.pixels(IMAGES.astype(np.float32), 1.0):
            assert context.raw_pixels() is None
        assert context.raw_pixels() == (IMAGES, 16.0)
    assert context.raw_pixels() is None


def test_each_call_of_a_layer_has_a_key_of_its_own_in_each_step():
    with pytest.raises(LookupError):
        context.layer_key(1)
    seen = set()
    for step in range(2):
        with context.random_key(jax.random.key(step)):
            found = [context.layer_key(k) for k in (1, 2, 1, 1)]
            seen |= {tuple(jax.random.key_data(key).tolist()) for key in found}
            assert found[0] == jax.random.fold_in(jax.random.key(step), 1)
    assert len(seen) == 8
    with pytest.raises(LookupError):
        context.layer_key(1)


def test_probes_end_with_their_step_even_after_an_error():
    assert context.current_probes() is None
    with pytest.raises(ZeroDivisionError), context.probing({"dense": IMAGES}) as probes:
        context.current_probes().inputs["dense"] = "the inputs"
        raise ZeroDivisionError
    assert context.current_probes() is None
    assert probes.inputs == {"dense": "the inputs"} and probes.zeros == {"dense": IMAGES}


def test_ours_are_used_where_channels_come_last():
    assert context.ours() is (jax.default_backend() == "cpu")
    assert not context.ours("channels_first")
