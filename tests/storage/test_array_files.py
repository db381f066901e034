"""Arrays and weights as bytes, and what is none of them; 1 s.

Run: pytest tests/storage/test_array_files.py
"""

import re

import ml_dtypes
import numpy as np
import pytest

from bakeoff.errors import StorageError
from bakeoff.storage import array_files, atomic
from tests.helpers.disks import DAMAGED


def test_arrays_and_weights_that_are_none_are_refused(tmp_path):
    path = tmp_path / "array.npy"
    for content in (b"", b"\x93NUMPY", array_files.npy_bytes(np.zeros(9))[:-1]):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            array_files.read_npy(path)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
        array_files.read_npy(path)
    for content in (b"", b"\xff" * 40, array_files.weights_bytes({"a": np.zeros(9)})[:-1]):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            array_files.read_weights(path)


def test_an_array_without_images_can_be_read(tmp_path):
    path = tmp_path / "empty.npy"
    atomic.write_file(path, array_files.npy_bytes(np.zeros((0, 8, 8, 1), np.uint8)))
    assert array_files.read_npy(path).shape == (0, 8, 8, 1)


def test_floats_that_numpy_itself_has_not_come_back_as_float32(tmp_path):
    """A trial with a layer of dtype="bfloat16" could not be read again."""
    kernel = np.linspace(-3, 3, 12).reshape(3, 4).astype(ml_dtypes.bfloat16)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(array_files.weights_bytes({"kernel": kernel, "seed": np.array(7, np.uint32)}))
    weights = array_files.read_weights(path)
    assert weights["kernel"].dtype == np.float32 and weights["seed"].shape == ()
    np.testing.assert_array_equal(weights["kernel"], kernel.astype(np.float32))
