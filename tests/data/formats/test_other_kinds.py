"""Files of kinds that are not read here.

Oracle: the messages, word for word. Cost: 1 s. Run: pytest tests/data/formats/test_other_kinds.py
"""

import pickle

import pytest

from bakeoff.data import FolderSource, load
from bakeoff.data.recognise import recognise
from bakeoff.errors import DataError


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "a.h5",
            'an HDF5 file: store its images and labels by numpy.savez("images.npz", x=…, y=…)',
        ),
        ("a.zip", "an archive: unpack it, and name what was in it"),
        ("a.CSV.GZ", "a packed file: unpack it, and name what was in it"),
        ("a.xlsx", "a spreadsheet: save it as CSV"),
        ("optdigits.tra", "a text file: call it .csv where it is a table"),
        (
            "train_X.bin",
            'a file of bytes: store its images and labels by numpy.savez("images.npz", x=…, y=…) '
            "(numpy.fromfile reads it)",
        ),
        (
            "a.npy",
            "a single array: put images and labels into one file, by "
            'numpy.savez("images.npz", x=…, y=…)',
        ),
    ],
)
def test_what_to_make_of_them_is_said(tmp_path, name, found):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError) as error:
        recognise(tmp_path / name)
    assert str(error.value) == (
        f"{tmp_path / name}: expected a folder of images, an npz, CSV, IDX or Parquet file, found "
        f"{found}"
    )


@pytest.mark.parametrize("whole", [False, True])
def test_pickled_files_without_an_ending(tmp_path, whole):
    """CIFAR's batches: the folder was told to hold cat/1.png, the file to be a data set's name."""
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({b"labels": [0]}, protocol=2))
    (tmp_path / "readme.html").write_bytes(b"<html>")
    with pytest.raises(DataError) as error:
        if whole:
            load(FolderSource(tmp_path))
        else:
            recognise(tmp_path / "data_batch_1")
    assert str(error.value).endswith(
        'a pickled file: store its images and labels by numpy.savez("images.npz", x=…, y=…); such '
        "files may hold code and are not read"
    )


def test_others_are_not_known(tmp_path):
    (tmp_path / "a.thing").write_bytes(b"x")
    assert recognise(tmp_path / "a.thing") is None
    assert recognise(tmp_path / "gone.h5") is None
