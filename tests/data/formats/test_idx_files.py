"""Any images and labels in IDX files, by path.

Oracle: digits written as IDX. Cost: 1 s. Run: pytest tests/data/formats/test_idx_files.py
"""

import gzip
from dataclasses import replace

import numpy as np
import pytest

from bakeoff.data import IdxSource, load
from bakeoff.data.formats.emnist import COLUMN_BY_COLUMN
from bakeoff.data.formats.idx_files import idx_files
from bakeoff.data.recognise import recognise
from bakeoff.errors import DataError
from tests.helpers.idx import idx_bytes

NAMES = {
    "mnist": ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"),
    "emnist": ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-test-images-idx3-ubyte"),
    "plain": ("train-images.idx3-ubyte", "test-images.idx3-ubyte"),
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("packed", [False, True])
def test_files_are_found_by_their_names(tmp_path, digits, kind, packed):
    images = digits.images[..., 0] * 15
    for name, rows in zip(NAMES[kind], (slice(100), slice(100, 140)), strict=True):
        labels = name.replace("images", "labels").replace("idx3", "idx1")
        for each, array in ((name, images[rows]), (labels, digits.labels[rows])):
            content = idx_bytes(array)
            path = tmp_path / (f"{each}.gz" if packed else each)
            path.write_bytes(gzip.compress(content) if packed else content)
            path.with_name(f"._{path.name}").write_bytes(b"of macOS")
    source = recognise(tmp_path)
    assert recognise(tmp_path / path.name) == source
    data = load(source)
    assert (data.test_start, len(data.labels)) == (100, 140)
    expected = images.transpose(0, 2, 1) if kind == "emnist" else images
    np.testing.assert_array_equal(data.images[..., 0], expected[:140])
    assert source.transpose is (True if kind == "emnist" else None)
    plain = load(replace(source, transpose=None))
    assert plain.notes == ((COLUMN_BY_COLUMN,) if kind == "emnist" else ())
    assert load(replace(source, transpose=False)).notes == ()


def test_refusals(tmp_path, digits):
    (tmp_path / "a").write_bytes(idx_bytes(digits.images[:9, ..., 0] * 15))
    (tmp_path / "b").write_bytes(idx_bytes(digits.labels[:9]))
    with pytest.raises(DataError, match=r"b: expected images \(3 dimensions\), found 1 dimensions"):
        load(IdxSource((tmp_path / "b", tmp_path / "a")))
    (tmp_path / "b").write_bytes(idx_bytes(digits.labels[:8]))
    with pytest.raises(DataError, match="b: expected 9 labels, one for every image of a, found 8"):
        load(IdxSource((tmp_path / "a", tmp_path / "b")))


def test_files_of_two_folders_may_have_the_same_names(tmp_path, digits):
    """They ended in "broken (zip() argument 2 is longer than argument 1)"."""
    paths = []
    for part, rows in (("train", slice(40)), ("test", slice(40, 60))):
        (tmp_path / part).mkdir()
        for name, array in (
            ("images", digits.images[rows, ..., 0] * 15),
            ("labels", digits.labels[rows]),
        ):
            paths.append(tmp_path / part / name)
            paths[-1].write_bytes(idx_bytes(array))
    data = load(IdxSource(tuple(paths)))
    assert (data.test_start, len(data.labels)) == (40, 60)
    np.testing.assert_array_equal(data.images, digits.images[:60] * 15)
    paths[2].write_bytes(idx_bytes(digits.images[40:59, ..., 0] * 15))
    with pytest.raises(
        DataError,
        match="labels, test: expected 19 labels, one for every image of images, test, found 20",
    ):
        load(IdxSource(tuple(paths)))


def test_files_in_no_use_are_named(tmp_path, digits):
    for part in ("train", "valid", "test"):
        for kind, array in (
            ("images-idx3", digits.images[:40, ..., 0]),
            ("labels-idx1", digits.labels[:40]),
        ):
            (tmp_path / f"{part}-{kind}-ubyte").write_bytes(idx_bytes(array))
    note = (
        "left out valid-images-idx3-ubyte and valid-labels-idx1-ubyte in the same folder: "
        "split.validation takes validation images from training"
    )
    assert note in load(recognise(tmp_path)).notes
    (tmp_path / "test-labels-idx1-ubyte").unlink()
    for path in tmp_path.glob("valid*"):
        path.unlink()
    assert "left out test-images-idx3-ubyte in the same folder" in load(recognise(tmp_path)).notes


def test_one_hot_labels_are_told_from_a_wrong_order(tmp_path, digits):
    (tmp_path / "a").write_bytes(idx_bytes(digits.images[:9, ..., 0] * 15))
    (tmp_path / "b").write_bytes(idx_bytes(np.eye(10)[digits.labels[:9]]))
    with pytest.raises(DataError) as error:
        load(IdxSource((tmp_path / "a", tmp_path / "b")))
    assert str(error.value) == (
        f"{tmp_path / 'b'}: expected labels (1 dimension), found 2 dimensions, 9 × 10: store one "
        "label an image, as in labels.argmax(axis=1) of one-hot rows"
    )


def test_one_of_several_sets_in_a_folder(tmp_path, digits):
    """As EMNIST comes, six sets in one folder: naming a file of one was no help."""
    for name, rows in (("letters", slice(20)), ("digits", slice(20, 60))):
        for kind, array in (("images-idx3", digits.images[..., 0]), ("labels-idx1", digits.labels)):
            path = tmp_path / f"emnist-{name}-train-{kind}-ubyte"
            path.write_bytes(idx_bytes(array[rows]))
    with pytest.raises(DataError) as error:
        recognise(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: expected IDX files of one data set, found "
        "emnist-digits-train-images-idx3-ubyte and emnist-letters-train-images-idx3-ubyte: name "
        "one of them, or in a recipe the files, {idx: [images, labels]}"
    )
    data = load(recognise(tmp_path / "emnist-letters-train-labels-idx1-ubyte"))
    np.testing.assert_array_equal(data.labels, digits.labels[:20])


def test_a_named_file_of_no_part_is_found_with_its_labels(tmp_path, digits):
    (tmp_path / "kmnist-images-idx3-ubyte").write_bytes(idx_bytes(digits.images[:20, ..., 0]))
    (tmp_path / "kmnist-labels-idx1-ubyte").write_bytes(idx_bytes(digits.labels[:20]))
    assert len(load(recognise(tmp_path / "kmnist-images-idx3-ubyte")).labels) == 20


def test_files_that_are_there_packed_too(tmp_path):
    """As torchvision leaves them in KMNIST/raw: they were two data sets, whichever was named."""
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    kinds = ("images-idx3", "labels-idx1")
    names = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in kinds]
    for name in names:
        for each in (name, f"{name}.gz"):
            (raw / each).write_bytes(b"")
    assert idx_files(raw) == tuple(raw / name for name in names)
    source = recognise(tmp_path / "KMNIST")
    assert isinstance(source, IdxSource)
    assert source.idx == idx_files(raw)


def test_marks_of_downloads_beside_the_files(tmp_path):
    """Windows's, beside every file that is copied from it to its Linux: they were a second set."""
    for kind, array in {"images-idx3": np.zeros((2, 4, 4)), "labels-idx1": np.arange(2)}.items():
        path = tmp_path / f"train-{kind}-ubyte"
        path.write_bytes(idx_bytes(array.astype(np.uint8)))
        path.with_name(f"{path.name}:Zone.Identifier").write_text("[ZoneTransfer]\nZoneId=3\n")
    assert len(idx_files(tmp_path)) == 2
