"""Masks beside pictures, told by their names.

Oracle: names as published data sets have them (BUSI, LGG), written out here. Cost: 1 s.
Run: pytest tests/data/folders/test_masks.py
"""

import pytest

from bakeoff.data.folders.masks import masks_beside
from tests.helpers.folders import grey, read, refusal, save


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("benign (1).png", "benign (1)_mask.png"),
        ("benign (4).png", "benign (4)_mask_1.png"),
        ("TCGA_CS_1.tif", "TCGA_CS_1_mask.tif"),
        ("1.jpg", "1_segmentation.png"),
        ("1.jpg", "1-Seg2.png"),
        ("1.jpg", "1 label.png"),
        ("1.jpg", "1.gt.png"),
    ],
)
def test_names_of_masks(picture, mask):
    assert masks_beside([picture, mask]) == ({mask}, True)
    assert masks_beside([mask]) == (set(), False)  # without the picture


@pytest.mark.parametrize(
    "names",
    [
        ("man.png", "man_masked.png"),
        ("man.png", "mask.png"),
        ("man.png", "manmask.png"),
        ("1.png", "1_2.png"),
        ("1.png", "2_mask.png"),
        ("iron.png", "iron_mask_of.png"),
        ("1.png", "1.jpg"),
    ],
)
def test_other_names(names):
    assert masks_beside(names)[0] == set()


def test_most_pictures_have_one():
    names = ["1.png", "2.png", "3.png", "1_mask.png", "1_mask_1.png"]
    assert masks_beside(names) == ({"1_mask.png", "1_mask_1.png"}, False)
    assert masks_beside([*names, "3_mask.png"])[1]
    assert masks_beside(["1.png", "1_mask.png", "2.png"])[1] is False


def fill(folder, numbers, name="{}.png"):
    for number in numbers:
        save(folder / name.format(number), grey(number))


def test_masks_are_left_out_and_named(tmp_path):
    """They were pictures of the class, half of all."""
    fill(tmp_path / "benign", range(1, 4))
    fill(tmp_path / "normal", range(11, 15))
    fill(tmp_path / "benign", range(1, 4), "{}_mask.png")
    (tmp_path / "benign" / "1_label.txt").write_text("x")
    data = read(tmp_path)
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert data.notes == (
        "ignored 1 file that no image can be read from here: benign/1_label.txt",
        "left out 3 pictures called like masks of others beside them: benign/1_mask.png, "
        "benign/2_mask.png, benign/3_mask.png",
    )


def test_masks_of_every_patient_and_part(tmp_path):
    """A folder for each patient holds one picture; the test part has a single mask."""
    for part, number in (("train", 1), ("train", 2), ("test", 3)):
        patient = f"patient {number}"
        fill(tmp_path / part / "benign" / patient, [number])
        fill(tmp_path / part / "benign" / patient, [number], "{}_mask.png")
        fill(tmp_path / part / "normal" / patient, [number + 10])
    data = read(tmp_path)
    assert (len(data.labels), data.test_start) == (6, 4)


@pytest.mark.parametrize("count", [2, 10])
def test_a_few_are_read_with_a_note(tmp_path, count):
    """Two of two are no pattern; three of ten are the exception there."""
    fill(tmp_path / "cat", range(count))
    fill(tmp_path / "dog", range(count, 2 * count))
    masks = min(count, 3)
    fill(tmp_path / "cat", range(30, 30 + masks))
    for number in range(masks):
        (tmp_path / "cat" / f"{30 + number}.png").rename(tmp_path / "cat" / f"{number}_mask.png")
    data = read(tmp_path)
    assert len(data.labels) == 2 * count + masks
    named = ", ".join(f"cat/{number}_mask.png" for number in range(masks))
    assert data.notes[0] == (
        f"read {masks} pictures called like masks of others beside them: if they are, remove them "
        f"({named})"
    )


def test_folders_of_masks_are_left_out_and_named(tmp_path):
    """As in the COVID-19 Radiography Database, where half of every class were masks."""
    for kind, numbers in (("COVID", range(3)), ("Normal", range(10, 13))):
        fill(tmp_path / kind / "images", numbers)
        fill(tmp_path / kind / "masks", range(numbers.start + 50, numbers.stop + 50))
    data = read(tmp_path)
    assert [int(image[0, 0, 0]) for image in data.images] == [0, 1, 2, 10, 11, 12]
    assert data.notes == (
        "read 2 folders inside class folders too: COVID/images, Normal/images",
        "left out 2 folders called like masks of the pictures beside them: COVID/masks, "
        "Normal/masks",
    )


@pytest.mark.parametrize("named", [{}, {"parts": {"train": "train"}}])
def test_parts_of_pictures_and_masks_are_no_classes(tmp_path, named):
    """They were two classes without a word: pictures, and masks."""
    for part in ("train", "test"):
        for kind in ("images", "masks"):
            fill(tmp_path / part / kind, range(3))
    assert refusal(tmp_path, **named) == (
        "expected a sub-folder for each of at least 2 classes, found images/ and masks/, pictures "
        "and what is said of them: put each class into a folder of its own: train/cat/1.png, "
        "train/dog/1.png, …"
    )
