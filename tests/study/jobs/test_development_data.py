"""What jobs that train are handed: the training and validation images, and nothing else.

Oracle: the files that are written. Cost: 1 s. Run: pytest tests/study/jobs/test_development_data.py
"""

import os

import numpy as np
import pytest

from bakeoff.study.jobs.development_data import DEVELOPMENT, read_development, write_development
from tests.helpers.trainers import development


def test_four_files_are_written_and_mapped_into_memory(tmp_path):
    data = development()
    write_development(tmp_path, {name: getattr(data, name) for name in DEVELOPMENT})
    assert sorted(os.listdir(tmp_path)) == sorted(f"{name}.npy" for name in DEVELOPMENT)
    found = read_development(tmp_path, maximum=255.0, n_classes=3, class_names=("a", "b", "c"))
    for name in DEVELOPMENT:
        array = getattr(found, name)
        assert isinstance(array, np.memmap)
        np.testing.assert_array_equal(array, getattr(data, name))
    assert (found.maximum, found.n_classes, found.class_names) == (255.0, 3, ("a", "b", "c"))


def test_no_other_array_is_written(tmp_path):
    data = development()
    arrays = {name: getattr(data, name) for name in DEVELOPMENT}
    write_development(tmp_path, {**arrays, "test_images": data.train_images})
    assert not (tmp_path / "test_images.npy").exists()
    with pytest.raises(KeyError, match="validation_labels"):
        write_development(tmp_path, {name: arrays[name] for name in DEVELOPMENT[:-1]})
