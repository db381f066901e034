"""Which Parquet files below a folder are a data set, and which part of it each is.

Oracle: empty files of names as people and Hugging Face write them. Cost: nothing.
Run: pytest tests/data/formats/test_parquet_files.py
"""

import pytest

from bakeoff.data.formats.parquet_files import (
    folders_of_sets,
    named_below,
    other_shards,
    parquet_files,
)
from bakeoff.errors import DataError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def files(root):
    found = parquet_files(root)
    return {part: [str(each.relative_to(root)) for each in paths] for part, paths in found.items()}


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["data.parquet"], {"train": ["data.parquet"]}),  # one alone may be called anything
        (
            ["test-0.parquet", "valid-0.parquet", "train-10.parquet", "train-2.parquet"],
            {
                "train": ["train-2.parquet", "train-10.parquet"],
                "validation": ["valid-0.parquet"],
                "test": ["test-0.parquet"],
            },
        ),
        (
            ["default/train/0000.parquet", "default/test/0000.parquet"],
            {"train": ["default/train/0000.parquet"], "test": ["default/test/0000.parquet"]},
        ),
        (["._train-0.parquet", "readme.md", "train-0.parquet"], {"train": ["train-0.parquet"]}),
    ],
)
def test_parts_are_told_by_names(tmp_path, names, parts):
    found = files(touch(tmp_path, *names))
    assert found == parts
    assert list(found) == list(parts)


def test_a_file_that_is_named_is_read_alone(tmp_path):
    touch(tmp_path, "train-0.parquet", "test-0.parquet")
    file = tmp_path / "test-0.parquet"
    assert parquet_files(file) == {"train": [file]}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "expected Parquet files (.parquet), found none"),
        (
            ["train-0.parquet", "more.parquet"],
            "expected files called train-…, validation-… or test-…, found more.parquet",
        ),
        (
            ["test-0.parquet", "val-0.parquet"],
            "expected train-….parquet, found only test and validation",
        ),
        (
            ["train-0.parquet", "dev-0.parquet"],
            "expected test-….parquet beside training and validation, found none: call the "
            "validation file test-… to test on it, or name one file alone",
        ),
    ],
)
def test_refusals(tmp_path, names, message):
    with pytest.raises(DataError) as error:
        parquet_files(touch(tmp_path, *names))
    assert str(error.value) == f"{tmp_path}: {message}"


@pytest.mark.parametrize("file", ["{}/train-0.parquet", "{}/train/0000.parquet"])
def test_several_configurations_are_no_data_set(tmp_path, file):
    touch(tmp_path, *(file.format(each) for each in ("balanced", "letters")))
    with pytest.raises(DataError) as error:
        parquet_files(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: expected the train part of one data set, found files of it in balanced/ and "
        "letters/: name one of these folders"
    )
    letters = tmp_path / "letters"
    assert files(letters) == {"train": [file.format("letters").removeprefix("letters/")]}


@pytest.mark.parametrize(
    ("names", "sets"),
    [
        (["a.parquet"], ["."]),
        (["train/0.parquet", "test/0.parquet"], ["."]),
        (["b/train/0.parquet", "b/test/0.parquet", "c/x.parquet"], ["b", "c"]),
        (["10/x.parquet", "9/x.parquet"], ["9", "10"]),
    ],
)
def test_the_folder_of_a_part_is_no_set_of_its_own(tmp_path, names, sets):
    root = tmp_path / "train"  # which is what was named: it does not count as a part
    found = folders_of_sets(root, [root / name for name in names])
    assert found == [root / each for each in sets]


def test_folders_are_named_below_the_root(tmp_path):
    assert named_below(tmp_path, [tmp_path / "a", tmp_path / "b" / "c\n"]) == "a/ and b/c\\n/"


@pytest.mark.parametrize("hashes", [("", ""), ("-19b74b3ef9c3b56a", "-09b74b3ef9c3b56a")])
def test_one_file_of_several_is_noted(tmp_path, hashes):
    """With a hash, as Hugging Face called them until 2023."""
    one, other = (f"train-0000{1 - n}-of-00002{hashes[n]}.parquet" for n in range(2))
    touch(tmp_path, one, other, "test-00000-of-00002.parquet", "train-00000-of-00003.parquet")
    assert other_shards(tmp_path / one) == (
        f"{one} is one of 2 files of a part ({other} beside it): to read all, name the folder",
    )
    (tmp_path / other).unlink()
    assert other_shards(tmp_path / one) == (
        f"{one} is one of 2 files of a part: to read all, name the folder",
    )


@pytest.mark.parametrize("name", ["train-00000-of-00001.parquet", "train-0.parquet", "a.parquet"])
def test_a_file_that_is_whole_is_not(tmp_path, name):
    touch(tmp_path, name, "train-00001-of-00002.parquet")
    folder = tmp_path / "train-00000-of-00002.parquet"
    folder.mkdir()
    assert other_shards(tmp_path / name) == other_shards(folder) == ()
