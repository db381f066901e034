"""Windows over images: padding, output sizes, slices.

Oracle: keras.layers for sizes, loops over the pixels for slices. Cost: 1 s.
Run: pytest tests/training/layers/test_windows.py
"""

import keras
import numpy as np
import pytest

from bakeoff.training.layers.windows import output_size, output_sizes, padded, padding_of, slices


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("size", "window", "strides"),
    [((7, 8), (3, 2), (1, 1)), ((9, 5), (2, 4), (2, 3)), ((6, 6), (3, 3), (2, 2))],
)
def test_sizes_are_those_of_keras(size, window, strides, padding):
    layer = keras.layers.MaxPooling2D(window, strides, padding)
    expected = layer.compute_output_shape((1, *size, 1))[1:3]
    pads = padding_of(size, window, strides, padding)
    assert output_sizes(size, window, strides, pads) == expected
    assert all(after - before in (0, 1) for before, after in pads)


def test_slices_are_every_pixel_of_every_window(rng):
    images, window, strides = rng.random((2, 7, 6, 3)), (3, 2), (2, 1)
    rows, columns = output_size(7, 3, 2), output_size(6, 2, 1)
    found = np.stack([np.asarray(each) for each in slices(images, window, strides)], axis=3)
    assert found.shape == (2, rows, columns, 6, 3)
    for i in range(rows):
        for j in range(columns):
            inside = images[:, 2 * i : 2 * i + 3, j : j + 2]
            np.testing.assert_array_equal(found[:, i, j], inside.reshape(2, 6, 3))


def test_nothing_is_padded_where_there_is_nothing_to_pad(rng):
    images = rng.random((2, 3, 4, 1))
    assert padded(images, ((0, 0), (0, 0)), -1.0) is images
    found = np.asarray(padded(images, ((1, 0), (0, 2)), -1.0))
    assert found.shape == (2, 4, 6, 1)
    assert (found[:, 0] == -1).all() and (found[:, :, 4:] == -1).all()
