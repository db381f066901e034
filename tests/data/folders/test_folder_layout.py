"""Folders as people have them: parts in all spellings, nesting, links, system folders.

Oracle: the layouts written out here by hand, and what each must give. Cost: 3 s.
Run: pytest tests/data/folders/test_folder_layout.py
"""

import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bakeoff.data import FolderSource, load, own_parts
from bakeoff.errors import DataError


def fill(folder, count=2, name="{}.png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.full((4, 4), 250 - number, np.uint8)
        Image.fromarray(pixels).save(folder / name.format(number), format="PNG")


def two(folder, count=2):
    for name in ("cat", "dog"):
        fill(folder / name, count)


def read(folder, **options):
    return load(FolderSource(folder, size=(4, 4), **options))


def refusal(folder, **options):
    with pytest.raises(DataError) as error:
        read(folder, **options)
    return str(error.value).removeprefix(f"{folder}: ")


def sizes(data):
    return {name: len(rows) for name, rows in own_parts(data).items()}


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("train", "valid", "test"),
        ("Train", "Validation", "Test"),
        ("training", "dev", "testing"),
        ("training_set", "validation_set", "test_set"),
        ("seg_train", "seg_val", "seg_test"),
        ("train_images", "val_images", "test_images"),
        ("TRAIN", None, "TEST"),
        ("training-data", None, "test-data"),
    ],
)
def test_spellings_of_parts(tmp_path, train, validation, test):
    two(tmp_path / train, 3)
    two(tmp_path / test, 2)
    if validation is not None:
        two(tmp_path / validation, 1)
    expected = {"train": 6, "validation": 2, "test": 4}
    if validation is None:
        del expected["validation"]
    data = read(tmp_path)
    assert sizes(data) == expected
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1, *([0, 1] if validation else []), 0, 0, 1, 1]


def test_classes_may_be_called_like_parts(tmp_path):
    for name in ("train", "plane", "val"):
        fill(tmp_path / name)
    assert read(tmp_path).class_names == ("plane", "train", "val")


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test1"), ("train", "test"), ("train2017", "val2017")]
)
def test_parts_without_class_folders_are_no_classes(tmp_path, train, test):
    """As Kaggle's cats and dogs: train/cat.0.jpg and test1/1.jpg were classes train and test1."""
    fill(tmp_path / train, 3, "cat.{}.jpg")
    fill(tmp_path / test, 2)
    assert refusal(tmp_path) == (
        f"expected a folder for each class in {train}/, which is beside {test}/, found 3 files "
        f"directly in it: put each class into a folder of its own: {train}/cat/1.png, "
        f"{train}/dog/1.png, …; or list files and labels in a table, {{table: …}}"
    )


def test_parts_with_numbers(tmp_path):
    two(tmp_path / "train2017", 3)
    two(tmp_path / "test2017")
    assert sizes(read(tmp_path)) == {"train": 6, "test": 4}


def test_pictures_and_masks_are_no_classes(tmp_path):
    for name in ("images", "masks"):
        fill(tmp_path / name)
    assert refusal(tmp_path).startswith(
        "expected a sub-folder for each of at least 2 classes, found images/ and masks/, pictures "
        "and what is said of them: put each class into a folder of its own: "
    )


def test_train_and_validation_alone(tmp_path):
    two(tmp_path / "train", 4)
    two(tmp_path / "val", 1)
    assert refusal(tmp_path) == (
        "expected a test part beside train/ and val/, found none: to test on val/, write "
        "{folder: …, parts: {train: train, test: val}}; to have a test part drawn from train/, "
        "write {folder: …, parts: {train: train, validation: val}}"
    )
    assert sizes(read(tmp_path, parts={"train": "train", "test": "val"})) == {"train": 8, "test": 2}
    data = read(tmp_path, parts={"train": "train", "validation": "val"})
    assert (data.validation_start, data.test_start) == (8, None)
    assert refusal(tmp_path, parts={"train": "trian"}).startswith("parts.train: expected a folder")


def test_images_without_labels_in_test(tmp_path):
    two(tmp_path / "train")
    fill(tmp_path / "test", 3)
    assert refusal(tmp_path) == (
        "expected a folder for each class in test/ as in train/, found 3 files directly in test/, "
        "which have no labels: write {folder: …, parts: {train: train}}, and split.test takes "
        "a test part from train/"
    )
    assert sizes(read(tmp_path, parts={"train": "train"})) == {"all": 4}


def test_folders_inside_classes_are_read(tmp_path):
    fill(tmp_path / "cat" / "2019" / "may")
    fill(tmp_path / "cat")
    fill(tmp_path / "dog")
    data = read(tmp_path)
    assert data.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert data.notes == ("read 2 folders inside class folders too: cat/2019, cat/2019/may",)


@pytest.mark.parametrize("inside", ["", "train"])
def test_a_folder_too_deep_is_entered(tmp_path, inside):
    two(tmp_path / "pets" / "images" / inside)
    (tmp_path / "__MACOSX").mkdir()
    data = read(tmp_path)
    assert data.class_names == ("cat", "dog")


def test_system_folders_are_no_classes(tmp_path):
    two(tmp_path)
    for name in ("@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", ".cache"):
        fill(tmp_path / name)
    (tmp_path / "cat" / "@eaDir").mkdir()
    assert (read(tmp_path).class_names, read(tmp_path).notes) == (("cat", "dog"), ())


def test_links_inside_are_followed_and_others_named(tmp_path):
    root = tmp_path / "pets"
    two(root / "store")
    two(tmp_path / "elsewhere")
    (root / "set").mkdir()
    for name in ("cat", "dog"):
        (root / "set" / name).symlink_to(root / "store" / name)
    assert sizes(read(root, parts={"train": "set"})) == {"all": 4}
    (tmp_path / "out").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "out" / name).symlink_to(tmp_path / "elsewhere" / name)
    assert refusal(tmp_path / "out") == (
        "expected a sub-folder for each of at least 2 classes, found 0 and 2 links that lead "
        "outside the folder (cat and dog): copy what the links lead to into the folder, or name "
        "that folder"
    )
    for name in ("cat", "dog"):
        (tmp_path / "files" / name).mkdir(parents=True)
        (tmp_path / "files" / name / "1.png").symlink_to(tmp_path / "elsewhere" / name / "0.png")
    assert "found none, but 2 links that lead outside the folder (cat/1.png and dog/1.png)" in (
        refusal(tmp_path / "files")
    )


def test_names_are_compared_in_one_form(tmp_path):
    for part, form in (("train", "NFC"), ("test", "NFD")):
        for name in ("été", "hiver"):
            fill(tmp_path / part / unicodedata.normalize(form, name))
    data = read(tmp_path)
    assert data.class_names == ("hiver", "été")
    assert sizes(data) == {"train": 4, "test": 4}


def test_refusals_say_what_was_seen(tmp_path):
    fill(tmp_path / "flat", 3, "cat.{}.jpg")
    assert refusal(tmp_path / "flat").startswith(
        "expected a sub-folder for each of at least 2 classes, found 0 and 3 files directly in "
        "flat/: put each class into a folder of its own: flat/cat/1.png, "
    )
    two(tmp_path / "phone")
    for name in ("a", "b"):
        (tmp_path / "phone" / "fish").mkdir(exist_ok=True)
        (tmp_path / "phone" / "fish" / f"{name}.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert refusal(tmp_path / "phone") == (
        "class fish: expected at least one readable image, found none, but 2 files that end in "
        ".heic, which cannot be read here: add images, or remove the folder"
    )
    (tmp_path / "phone" / "cat" / "c.heic").write_bytes(b"\0\0\0\x18ftypheic")  # of another class
    (tmp_path / "phone" / "fish" / "notes").write_text("x")
    assert "found none, but 2 files that end in .heic and 1 file without an ending, which" in (
        refusal(tmp_path / "phone")
    )
    two(tmp_path / "case" / "train")
    fill(tmp_path / "case" / "test" / "Cat")
    assert refusal(tmp_path / "case") == (
        "expected in test/ only classes of training, found Cat: rename it to cat, as in training"
    )
    two(tmp_path / "twice" / "train")
    two(tmp_path / "twice" / "training")
    assert refusal(tmp_path / "twice") == (
        "expected one folder of train images, found train and training: say which it is, as in "
        "{folder: …, parts: {train: train, …}}"
    )


def test_all_hold_together(tmp_path):
    two(tmp_path)
    (tmp_path / "cat" / "photo").write_bytes((tmp_path / "cat" / "0.png").read_bytes())
    assert re.match("[0-9a-f]{64}", read(tmp_path).hash)
    assert len(read(tmp_path).labels) == 5  # the name does not decide


def test_parts_below_the_classes_are_not_mixed(tmp_path):
    for name in ("cat", "dog"):
        for part in ("train", "test"):
            fill(tmp_path / name / part)
    assert refusal(tmp_path) == (
        "expected the parts above the classes (test/cat and train/cat), found them below (cat/test "
        "and cat/train): move the folders"
    )


def test_the_same_folders_in_every_class_are_noted(tmp_path):
    """As where the parts have names that nobody can know: they would be the classes."""
    two(tmp_path / "camera 1")
    two(tmp_path / "camera 2")
    assert read(tmp_path).notes == (
        "read 4 folders inside class folders too: camera 1/cat, camera 1/dog, camera 2/cat, "
        "camera 2/dog",
        "every class folder holds the same folders (cat, dog): if these are the classes, name one "
        "of the class folders instead, or put those of one name together",
    )
    fill(tmp_path / "camera 3" / "cat")
    assert len(read(tmp_path).notes) == 1


def test_the_same_folders_one_deeper_in_every_class_are_noted(tmp_path):
    """As Office-31's amazon/images/bike; only the number of folders was said."""
    two(tmp_path / "amazon" / "images")
    two(tmp_path / "webcam" / "photos")
    assert "every class folder holds the same folders (cat, dog)" in read(tmp_path).notes[1]
    fill(tmp_path / "scans" / "images")  # and masks beside them, of which classes have some
    fill(tmp_path / "scans" / "masks")
    assert len(read(tmp_path).notes) == 2  # the folders read, and those left out


def test_forms_of_the_same_pictures_are_named_where_they_are(tmp_path, monkeypatch):
    """Where archives are unpacked in a folder of their own, the one to name was not there."""
    for form in ("color", "grayscale"):
        two(tmp_path / "archive" / "plants" / form)
    assert "name one of them (archive/plants/color)" in refusal(tmp_path / "archive")
    monkeypatch.chdir(tmp_path / "archive")
    assert "name one of them (plants/color)" in refusal(Path("."))


def test_forms_of_the_same_pictures_are_not_taken_for_classes(tmp_path):
    """A study told colour from grey, with a note at the end of its report."""
    for form in ("color", "grayscale", "segmented"):
        two(tmp_path / "plants" / form)
    assert refusal(tmp_path / "plants") == (
        "expected a folder for each class, found color/, grayscale/ and segmented/ with the same "
        "folders in each (cat and dog), which seem to be the classes, in several forms of the same "
        "pictures: name one of them (plants/color); if they are the classes, call them something "
        "else"
    )
    for form in ("Original Dataset", "Augmented Dataset"):
        two(tmp_path / "leaves" / form)
    assert "(leaves/Original Dataset)" in refusal(tmp_path / "leaves")
    fill(tmp_path / "forged" / "original" / "a")  # to be told from each other
    fill(tmp_path / "forged" / "augmented" / "a")
    assert read(tmp_path / "forged").class_names == ("augmented", "original")


@pytest.mark.parametrize(
    "name",
    [
        *("HAM10000_images_part_{}", "images_00{}", "fold{}", "batch-{}"),
        *("skin-20261101T120000Z-00{}", "skin-20261101T120000Z-1-00{}"),  # as Google Drive's
    ],
)
@pytest.mark.parametrize("inside", ["", "cat"])
def test_numbered_pieces_of_a_set_are_no_classes(tmp_path, name, inside):
    """As archives of HAM10000, ChestX-ray14: they were classes, and the table was ignored."""
    for number in (1, 2):
        fill(tmp_path / "skin" / name.format(number) / inside)
    (tmp_path / "skin" / "Data_Entry.csv").write_text("image,label\n")
    assert refusal(tmp_path / "skin") == (
        f"expected a folder for each class, found {name.format(1)}/ and {name.format(2)}/, called "
        "like numbered pieces of one set: put each class into a folder of its own: "
        "skin/cat/1.png, skin/dog/1.png, …; or list files and labels in a table, {table: …}; if "
        "they are classes, call them something else"
    )


@pytest.mark.parametrize(
    "names", [("photos 2019", "photos 2020"), ("2-fold", "4-fold"), ("2 img", "10 img")], ids=str
)
def test_numbers_with_gaps_are_no_pieces(tmp_path, names):
    for name in names:
        fill(tmp_path / name)
    assert set(read(tmp_path).class_names) == set(names)


def test_classes_may_hold_folders_called_like_them(tmp_path):
    """Grades, and in each of them the sessions: 1/2 is no class in a part."""
    for grade in ("1", "2", "3"):
        for session in ("1", "2"):
            fill(tmp_path / grade / session)
    data = read(tmp_path)
    assert data.class_names == ("1", "2", "3")
    assert "every class folder holds the same folders (1, 2)" in data.notes[-1]


def test_an_evaluation_beside_the_parts_is_of_other_things(tmp_path):
    for part in ("train", "val", "test"):
        two(tmp_path / part)
    fill(tmp_path / "evaluation")
    data = read(tmp_path)
    assert data.class_names == ("cat", "dog") and data.validation_start is not None


def test_parts_in_every_class_are_moved_and_no_class_is_named(tmp_path):
    for kind in ("cat", "dog"):
        for part in ("train", "test"):
            two(tmp_path / kind / part)
    assert "expected the parts above the classes (" in refusal(tmp_path)


def test_classes_of_alike_names_that_hold_the_same_folders(tmp_path):
    for name in ("ticket", "ticket_valid", "ticket_void"):
        for side in ("front", "back"):
            fill(tmp_path / name / side)
    assert read(tmp_path).class_names == ("ticket", "ticket_valid", "ticket_void")


def test_a_link_to_itself_costs_itself_alone(tmp_path):
    two(tmp_path)
    (tmp_path / "cat" / "loop").symlink_to("loop")
    assert read(tmp_path).class_names == ("cat", "dog")


@pytest.mark.parametrize("name", ["class{}", "{}", "n0{}440764", "camera {}", "part {}"])
def test_classes_may_be_numbered(tmp_path, name):
    for number in (1, 2):
        fill(tmp_path / name.format(number))
    assert len(read(tmp_path).class_names) == 2


@pytest.mark.parametrize("inside", ["seg_{}", "{}", "images"])
@pytest.mark.parametrize("stated", [True, False])
def test_a_folder_in_a_part_that_is_called_like_it_is_entered(tmp_path, inside, stated):
    """As Kaggle's intel-image-classification: "put each class into a folder of its own"."""
    for part in ("train", "test"):
        two(tmp_path / f"seg_{part}" / inside.format(part), 3)
    fill(tmp_path / "seg_pred" / "seg_pred")
    data = read(
        tmp_path, **({"parts": {"train": "seg_train", "test": "seg_test"}} if stated else {})
    )
    assert (data.class_names, sizes(data)) == (("cat", "dog"), {"train": 6, "test": 6})
    assert data.notes[0] == (
        f"the classes were found in seg_train/{inside.format('train')}/ and "
        f"seg_test/{inside.format('test')}/"
    )


def test_a_class_in_a_part_is_not_entered(tmp_path):
    two(tmp_path / "train", 3)
    for name in ("2019", "2020"):
        fill(tmp_path / "test" / "cat" / name)
    data = read(tmp_path)
    assert (data.class_names, data.test_start, data.labels[6:].tolist()) == (
        ("cat", "dog"), 6, [0, 0, 0, 0],
    )  # fmt: skip


def test_a_folder_beside_a_readme_is_entered(tmp_path):
    """As Kaggle's animals10: raw-img beside translate.py."""
    two(tmp_path / "raw-img")
    (tmp_path / "translate.py").write_text("")
    assert read(tmp_path).notes == (
        "the classes were found in raw-img/",
        "ignored 1 file or folder beside the class folders: translate.py",
    )
    (tmp_path / "labels.csv").write_text("file,label\n")
    assert refusal(tmp_path).endswith(
        "if labels.csv lists files and labels, write {table: labels.csv}"
    )


@pytest.mark.parametrize("parts", [{"test": "te"}, {"validation": "te", "test": "te"}])
def test_parts_without_training_are_asked_for(tmp_path, parts):
    """It was called broken: ('train')."""
    for part in ("tr", "te"):
        two(tmp_path / part)
    assert refusal(tmp_path, parts=parts) == (
        f"parts: expected the folder of the training images too, found {' and '.join(parts)}: "
        "write {folder: …, parts: {train: FOLDER, …}}"
    )


@pytest.mark.parametrize("name", ["test", "holdout", "Augmented"])
def test_a_part_beside_the_classes_is_no_class(tmp_path, name):
    """It was a class of its own, with all pictures of it, whatever they show."""
    two(tmp_path)
    two(tmp_path / name)
    assert refusal(tmp_path) == (
        f"expected a folder for each class, found {name}/ that holds folders called like those "
        f"beside it (cat and dog): where {name}/ is a part, move the others into train/ beside it; "
        "else take it away"
    )


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("pets.npz", "if pets.npz holds images and labels, write {npz: pets.npz}"),
        ("pets.zip", "pets.zip is an archive: unpack it, and name what was in it"),
        ("readme.md", "put each class into a folder of its own: pets/cat/1.png, pets/dog/1.png, …"),
    ],
)
def test_a_folder_with_a_file_of_data(tmp_path, name, cure):
    """Whoever named the folder was told to put each class into a folder of its own."""
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / name).write_bytes(b"")
    assert refusal(tmp_path / "pets") == (
        "expected a sub-folder for each of at least 2 classes, found 0 and 1 file directly in "
        f"pets/: {cure}"
    )


@pytest.mark.parametrize("table", [False, True])
def test_a_whole_data_set_in_a_class(tmp_path, table):
    """As Kaggle unpacks several sets into one folder: the classes were the archives."""
    for part in ("TRAIN", "TEST"):
        two(tmp_path / "set" / "set" / "images" / part)
    fill(tmp_path / "other" / "JPEGImages")
    if table:
        (tmp_path / "set" / "set" / "labels.csv").write_text("a,b\n", encoding="utf-8")
    assert refusal(tmp_path) == (
        "expected a folder for each class, found a whole data set in set/set/images/, with TEST/ "
        "and TRAIN/: name that folder"
    )


def test_classes_beside_what_is_said_of_them(tmp_path):
    """As Food-101's and CUB's: the cure was to remove the folders of lists."""
    two(tmp_path / "pictures")
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "classes.txt").write_text("cat\n", encoding="utf-8")
    assert refusal(tmp_path).endswith(": if the classes are in pictures/, name that folder")


def test_test_images_without_labels_one_deeper(tmp_path):
    """As the ASL alphabet's: only a strange class was named."""
    two(tmp_path / "train" / "train")
    fill(tmp_path / "test" / "test")
    assert refusal(tmp_path) == (
        "expected in test/ only classes of training, found test with files in it that have no "
        "labels: write {folder: …, parts: {train: …}} without that part, and split.test takes a "
        "test part from training"
    )


def test_three_parts_without_class_folders(tmp_path):
    """Food-11's training, validation and evaluation were its classes."""
    for part in ("training", "validation", "evaluation"):
        fill(tmp_path / part)
    assert refusal(tmp_path).startswith("expected a folder for each class in training/")


def test_validation_and_test_alone_are_no_classes(tmp_path):
    """What was downloaded without the training images: two classes called valid and test."""
    for part in ("valid", "test"):
        two(tmp_path / part)
    assert refusal(tmp_path) == (
        "expected a folder of training images, found the parts valid and test alone: to train on "
        "one, write {folder: …, parts: {train: valid, test: test}}"
    )
    assert sizes(read(tmp_path, parts={"train": "valid", "test": "test"})) == {
        "train": 4,
        "test": 4,
    }
