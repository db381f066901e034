"""Arrays that image files are decoded into.

Oracle: images made here. Cost: nothing. Run: pytest tests/data/image_files/test_decoded_images.py
"""

import numpy as np
import pytest

from bakeoff.data import safe_reading
from bakeoff.data.image_files.decoded_images import to_decode
from bakeoff.data.image_files.image_file import Decoded
from bakeoff.data.sources import Pictures
from bakeoff.errors import DataError


@pytest.mark.parametrize(("color", "channels"), [("grey", 1), ("rgb", 3)])
def test_there_is_a_place_for_every_image(color, channels):
    decoded = to_decode(5, Pictures(size=(3, 4), color=color))
    assert (decoded.images.shape, decoded.images.dtype) == ((5, 3, 4, channels), np.uint8)
    assert decoded.origins.shape == (5,)
    assert decoded.kept.tolist() == [True] * 5  # until one cannot be read
    assert not (decoded.deep.any() or decoded.cut.any() or decoded.deepest.any())


def test_images_that_would_fill_more_than_half_the_memory_are_refused(monkeypatch):
    """Of two copies: one is kept, and one made of those that could be read."""
    how = Pictures(size=(10, 10), color="rgb")
    monkeypatch.setattr(safe_reading, "available_memory", lambda: 4 * 10 * 300)
    to_decode(10, how)
    with pytest.raises(DataError, match=r"expected at most 6,000 bytes of arrays .* 6,600"):
        to_decode(11, how)
    with pytest.raises(DataError, match="expected at most 6,000 bytes of arrays"):
        to_decode(1 << 60, Pictures(size=(4096, 4096)))  # beyond 64 bits


def test_an_image_is_kept_with_what_it_was():
    decoded = to_decode(4, Pictures(size=(2, 2)))
    kinds = [(None, False), (4095, False), (65535, True), (0, False)]  # 8 bits, 16, cut, black
    for place, (deepest, cut) in reversed([*enumerate(kinds)]):
        pixels = np.full((2, 2, 1), 10 * place, np.uint8)
        decoded.put(place, Decoded(pixels, deepest, cut, key=np.uint64(2**63 + place)))
    assert decoded.images.reshape(4, 4).tolist() == [[10 * place] * 4 for place in range(4)]
    assert decoded.origins.tolist() == [2**63 + place for place in range(4)]
    assert decoded.deep.tolist() == [False, True, False, True]
    assert decoded.cut.tolist() == [False, False, True, False]
    assert decoded.deepest.tolist() == [0, 4095, 65535, 0]
    decoded.put(2, Decoded(pixels, None, cut=False, key=np.uint64(1)))  # again
    assert (decoded.cut[2], decoded.deepest[2], decoded.origins[2]) == (False, 0, 1)
