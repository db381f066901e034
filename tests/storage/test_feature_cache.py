"""Features of images, kept by the images' hashes.

Oracle: hashes of images that differ in one thing; arrays that come back. Cost: 1 s.

Run: pytest tests/storage/test_feature_cache.py
"""

import numpy as np
import pytest

from bakeoff.errors import StorageError
from bakeoff.storage import feature_cache


def test_images_hash_by_pixels_shape_and_scale():
    image = np.arange(8, dtype=np.uint8).reshape(1, 2, 4, 1)
    others = [image + 1, image.reshape(1, 4, 2, 1), image.astype(np.float32)]
    hashes = [feature_cache.image_hashes(each, maximum=255.0)[0] for each in (image, *others)]
    hashes += feature_cache.image_hashes(image, maximum=16.0)
    assert len(set(hashes)) == 5 and all(len(each) == 32 for each in hashes)


def test_features_come_back_and_unknown_images_have_none(tmp_path):
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    hashes = [b"a" * 32, b"b" * 32]
    feature_cache.write_features(tmp_path, hashes, rows)
    feature_cache.write_features(tmp_path, [b"c" * 32], rows[:1])
    found = feature_cache.read_features(tmp_path, [*hashes, b"d" * 32])
    assert found.keys() == set(hashes)
    np.testing.assert_array_equal([found[each] for each in hashes], rows)
    assert feature_cache.read_features(tmp_path / "absent", hashes) == {}


def test_what_a_killed_run_left_half_written_is_cleared_away(tmp_path):
    """It stayed in the user's cache for good."""
    half = tmp_path / f".features.safetensors.{2**70}.tmp"  # of a process that is not there
    half.write_bytes(b"half")
    feature_cache.write_features(tmp_path, [b"a" * 32], np.zeros((1, 3), np.float32))
    assert not half.exists() and len(list(tmp_path.iterdir())) == 1


def test_without_a_home_there_is_no_place(monkeypatch):
    monkeypatch.delenv("BAKEOFF_HOME", raising=False)
    monkeypatch.setattr(feature_cache, "user_cache", lambda: None)
    with pytest.raises(StorageError, match=r"^expected a home folder for the features of images"):
        feature_cache.features_root()


def test_a_damaged_file_counts_as_missing(tmp_path):
    feature_cache.write_features(tmp_path, [b"a" * 32], np.ones((1, 3), np.float32))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert feature_cache.read_features(tmp_path, [b"a" * 32]) == {}


def test_each_backbone_has_a_folder_of_its_own(monkeypatch):
    monkeypatch.setenv("BAKEOFF_HOME", "/home/ada/bakeoff")
    one, other = (feature_cache.features_folder(name) for name in ("mobilenet", "nasnet_mobile"))
    assert one != other and one.parent == other.parent
    assert str(one.parent) == "/home/ada/bakeoff/features"
