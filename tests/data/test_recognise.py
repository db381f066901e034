"""What a path means.

Oracle: files written here. Cost: 1 s.

Run: pytest tests/data/test_recognise.py
"""

import numpy as np
import pytest

from bakeoff.data import CsvSource, FolderSource, TableSource, load
from bakeoff.data.recognise import guessed, recognise
from bakeoff.errors import DataError
from tests.helpers.folders import save
from tests.helpers.tables import write_pixels


def test_a_folder_with_a_table_is_recognised(images):
    lines = [f"a{number}.png,{number % 2}" for number in range(6)]
    (images / "labels.csv").write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    (images / "._labels.csv").write_bytes(b"of macOS")
    source = recognise(images)
    assert isinstance(source, TableSource)
    assert (source.size, source.color) == ((8, 8), "grey")


def test_a_folder_of_two_tables(tmp_path, rows):
    write_pixels(tmp_path / "mnist_train.csv", rows)
    write_pixels(tmp_path / "mnist_test.csv", rows)
    source = CsvSource(tmp_path / "mnist_train.csv", test=tmp_path / "mnist_test.csv")
    assert recognise(tmp_path) == recognise(tmp_path / "mnist_train.csv") == source
    (tmp_path / "mnist_test.csv").write_text("a,b\n1,2\n", encoding="utf-8")  # without labels
    assert recognise(tmp_path) == CsvSource(tmp_path / "mnist_train.csv")


def test_test_tables_in_capitals(tmp_path, rows):
    """Test.csv beside Train.csv was left out, and a test part drawn from training."""
    write_pixels(tmp_path / "Train.csv", rows)
    write_pixels(tmp_path / "Test.csv", rows)
    source = CsvSource(tmp_path / "Train.csv", test=tmp_path / "Test.csv")
    assert recognise(tmp_path) == recognise(tmp_path / "Train.csv") == source


def test_labels_to_be_guessed_are_no_labels(images):
    """Of Kaggle's contests: test images were read with the labels of the sample submission."""
    lines = [f"a{number},{number % 2}" for number in range(6)]
    (images / "sampleSubmission.csv").write_text("\n".join(["id,label", *lines]), encoding="utf-8")
    assert not isinstance(recognise(images), TableSource)
    (images / "Training_set.csv").write_text("\n".join(["id,label", *lines]), encoding="utf-8")
    (images / "Testing_set.csv").write_text("id\na9\n", encoding="utf-8")
    source = recognise(images)
    assert isinstance(source, TableSource)
    assert source.table.name == "Training_set.csv"
    assert load(source).notes[1:] == (
        "left out Testing_set.csv beside it, whose columns are others",
    )


def test_of_several_tables_of_training_images_none_is_taken(tmp_path, rows):
    """EMNIST's folder on Kaggle holds six sets: the first was read without a word."""
    for name in ("emnist-balanced", "emnist-letters"):
        for part in ("train", "test"):
            write_pixels(tmp_path / f"{name}-{part}.csv", rows)
    with pytest.raises(DataError) as error:
        recognise(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: expected one table of training images, found emnist-balanced-train.csv and "
        "emnist-letters-train.csv: name the one that is meant"
    )


@pytest.mark.parametrize("beside", ["training_history.csv", "labels_tr.csv"])
def test_a_table_called_like_training_alone_is_taken(images, beside):
    lines = [f"a{number}.png,{number % 2}" for number in range(6)]
    for name in ("labels_train.csv", beside):
        (images / name).write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    source = recognise(images)
    assert isinstance(source, TableSource) and source.table.name == "labels_train.csv"


def test_sizes_are_those_of_the_pictures_that_a_table_lists(images, rng):
    """Not of masks in a folder beside them, of another size and without colours."""
    lines = [f"a{number}.png,{number % 2}" for number in range(6)]
    (images / "labels.csv").write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    for number in range(20):
        pixels = rng.integers(0, 256, (90, 60, 3), dtype=np.uint8)
        save(images / "overlays" / f"m{number}.png", pixels)
    source = recognise(images)
    assert isinstance(source, TableSource)
    assert (source.size, source.color, source.fit) == ((8, 8), "grey", "stretch")
    assert guessed(source)[1].startswith("All pictures looked at are 4×4")


@pytest.mark.parametrize("header", ["file,licence,source", "class,text,other"])
def test_classes_called_photos_stay_so_beside_a_table_of_other_things(tmp_path, rng, header):
    """They were refused for want of a column of labels."""
    for kind in ("photos", "drawings"):
        for number in range(3):
            save(tmp_path / kind / f"{number}.png", rng.integers(0, 256, (8, 8), dtype=np.uint8))
    rows = [f"{kind}/{n}.png,cc,{kind}-{n}" for kind in ("photos", "drawings") for n in range(3)]
    (tmp_path / "metadata.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    assert isinstance(recognise(tmp_path), FolderSource)
    (tmp_path / "metadata.csv").write_text(
        "\n".join(["file,licence,label", *rows]), encoding="utf-8"
    )
    assert isinstance(recognise(tmp_path), TableSource)


@pytest.mark.parametrize(
    ("beside", "column", "said"),
    [
        ("figures/m{}.png", "finding", "expected a column of labels"),
        ("images_small/{}.png", "finding", "files of the same names in images/ and images_small/"),
        ("images_small/{}.png", "label", "files of the same names in images/ and images_small/"),
    ],
)
@pytest.mark.parametrize("place", ["", "images/"])
def test_images_that_a_table_lists_are_no_class(tmp_path, rng, beside, column, said, place):
    """They were read as a class beside figures/ or thumbnails, where no labels were found."""
    for number in range(6):
        for name in (f"images/{number}.png", beside.format(number)):
            save(tmp_path / name, rng.integers(0, 256, (8, 8), dtype=np.uint8))
    lines = [f"{place}{number}.png,{'ab'[number % 2]},{number}" for number in range(6)]
    (tmp_path / "metadata.csv").write_text("\n".join([f"file,{column},age", *lines]), "utf-8")
    source = recognise(tmp_path)
    assert isinstance(source, TableSource)
    if column == "label" and place:
        assert load(source).class_names == ("a", "b")
        return
    with pytest.raises(DataError, match="column of labels" if place else said):
        load(source)
