"""A table of images and labels, as Kaggle and fastai have them.

Oracle: the table written here. Cost: 1 s. Run: pytest tests/data/formats/test_table.py
"""

from pathlib import Path

import pytest
from PIL import Image

from bakeoff.data import TableSource, load, own_parts
from bakeoff.data.formats import table
from bakeoff.errors import DataError


def read(root, text, **options):
    (root / "labels.csv").write_text(text, encoding="utf-8")
    return load(TableSource(root / "labels.csv", size=(4, 4), **options))


TABLES = {
    "file,label\n": "a{0}.png,{1}",
    "label;filename\n": "{1};images/a{0}.png",
    "id\tbreed\n": "a{0}\t{1}",  # without the ending
    "image_id,healthy,rust\n": "a{0},{2},{3}",  # one column a class
    "": "a{0}.png,{1}",  # no header
    ",path,width,category\n": "{0},./a{0}.png,4,{1}",
}


@pytest.mark.parametrize("header", TABLES)
def test_columns_are_recognised(images, header):
    kinds = ["rust", "healthy", "rust", "rust", "healthy", "healthy"]
    rows = [
        TABLES[header].format(number, kind, int(kind == "healthy"), int(kind == "rust"))
        for number, kind in enumerate(kinds)
    ]
    data = read(images, header + "\n".join(rows))
    assert data.class_names == ("healthy", "rust")
    assert [data.class_names[each] for each in data.labels] == kinds
    assert data.images[:, 0, 0, 0].tolist() == list(range(6))


def test_columns_of_true_and_false(images):
    """As pandas's get_dummies has made them since 2023."""
    rows = [f"a{number},{number % 2 == 0},{number % 2 == 1}" for number in range(6)]
    data = read(images, "\n".join(["image,healthy,rust", *rows]))
    assert [data.class_names[each] for each in data.labels] == ["healthy", "rust"] * 3


def test_a_first_line_that_names_a_file_is_no_header(images):
    """As ISIC's names, without endings, and labels that are words: one image was lost."""
    kinds = ["nv", "mel", "nv", "nv", "mel", "mel"]
    rows = [f"a{number},{kind}" for number, kind in enumerate(kinds)]
    for columns in (None, {"label": "1"}):
        data = read(images, "\n".join(rows), columns=columns)
        assert [data.class_names[each] for each in data.labels] == kinds
        assert data.images[:, 0, 0, 0].tolist() == list(range(6))
        assert data.notes == ("read from the columns 0 (files in images/), 1 (labels)",)


def test_a_header_stays_one_where_a_file_is_called_like_it(images):
    Image.new("L", (4, 4)).save(images / "images" / "kind.png")
    Image.new("L", (4, 4)).save(images / "images" / "image.png")
    rows = [f"a{number},{number % 2}" for number in range(6)]
    assert len(read(images, "\n".join(["image,kind", *rows])).images) == 6


def two_folders(root, *names):
    for white, name in enumerate(names):
        (root / name).mkdir()
        for number in range(4):
            Image.new("L", (4, 4), 100 * white + number).save(root / name / f"{number}.png")


def test_a_table_of_a_part_is_about_the_folder_of_that_part(tmp_path):
    two_folders(tmp_path, "test", "train")
    for name, first in {"train.csv": 100, "test_labels.csv": 0}.items():
        (tmp_path / name).write_text("id,label\n0,a\n1,b\n2,a\n3,b\n")
        data = load(TableSource(tmp_path / name, size=(4, 4), scale=255))
        assert data.images[:, 0, 0, 0].tolist() == [first, first + 1, first + 2, first + 3]
    assert "(files in test/)" in data.notes[0]


def test_files_of_the_same_names_in_two_folders_are_asked_about(tmp_path):
    two_folders(tmp_path, "masks", "photos")
    lines = "file,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n"
    with pytest.raises(DataError, match="found files of the same names in masks/ and photos/"):
        read(tmp_path, lines)
    data = read(tmp_path, lines, images=tmp_path / "photos", scale=255)
    assert data.images[0, 0, 0, 0] == 100


def test_a_folder_with_a_few_of_the_files_does_not_disturb(tmp_path):
    two_folders(tmp_path, "all", "examples")
    for number in range(1, 4):
        (tmp_path / "examples" / f"{number}.png").unlink()
    data = read(tmp_path, "file,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n", scale=255)
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["{0}.0", "/elsewhere/a{0}.png"])
def test_labels_are_never_taken_for_files(tmp_path, name):
    for number in range(6):
        Image.new("L", (4, 4), number).save(tmp_path / f"{number}.png")
    rows = [f"{name.format(number)},{number % 3}" for number in range(6)]
    for header in ("id,label\n", "id,grade\n"):
        with pytest.raises(DataError, match="expected a column of image files"):
            read(tmp_path, header + "\n".join(rows))


def test_names_written_on_windows(images):
    rows = [f"images\\a{number}.png,{number % 2}" for number in range(6)]
    assert len(read(images, "file,label\n" + "\n".join(rows)).images) == 6


@pytest.mark.parametrize("column", ["split", "data_split"])
def test_parts(images, column):
    parts = ["test", "train", "val", "train", "train", "test"]
    rows = [f"a{number}.png,{number % 2},{part}" for number, part in enumerate(parts)]
    data = read(images, f"file,label,{column}\n" + "\n".join(rows))
    assert {k: len(v) for k, v in own_parts(data).items()} == {
        "train": 3,
        "validation": 1,
        "test": 2,
    }
    assert data.images[:, 0, 0, 0].tolist() == [1, 3, 4, 2, 0, 5]
    assert data.notes == (
        f"read from the columns file (files in images/), label (labels), {column} (parts)",
    )


@pytest.mark.parametrize("parts", [["train"] * 5 + ["holdout"], ["train"] * 4 + ["tets"] * 2])
def test_a_part_that_is_none_is_asked_about(images, parts):
    """The whole column was left out, and the held-out images trained with."""
    rows = [f"a{number}.png,{number % 2},{part}" for number, part in enumerate(parts)]
    with pytest.raises(DataError, match=rf"split: expected train, .*, found '{parts[-1]}': write"):
        read(images, "file,label,split\n" + "\n".join(rows))


def test_a_column_called_as_if_it_said_parts_is_noted(images):
    rows = [f"a{number}.png,{number % 2},{number % 3}" for number in range(6)]
    data = read(images, "file,label,split\n" + "\n".join(rows))
    assert data.notes == (
        "read from the columns file (files in images/), label (labels); ignored split",
    )


def test_a_table_named_from_where_it_lies(images, monkeypatch):
    rows = [f"images/a{number}.png,{number % 2}" for number in range(6)]
    (images / "labels.csv").write_text("file,label\n" + "\n".join(rows), encoding="utf-8")
    monkeypatch.chdir(images)
    for name in ("labels.csv", "./labels.csv"):
        assert len(load(TableSource(Path(name), size=(4, 4))).images) == 6


def test_columns_may_be_named(images):
    text = "a,b,c\n" + "\n".join(f"a{number},x{number % 2},y{number % 3}" for number in range(6))
    data = read(images, text, columns={"label": "c"}, images=images / "images")
    assert data.class_names == ("y0", "y1", "y2")
    with pytest.raises(DataError, match=r"columns.label: expected a column \(a, b, c\), found 'd'"):
        read(images, text, columns={"label": "d"})
    with pytest.raises(DataError, match=r"expected a column of labels .*, found a, b, c: name it"):
        read(images, text)


def test_missing_and_outside_files(images):
    Image.new("L", (4, 4)).save(images.parent / "secret.png")
    rows = ["a0.png,x", "a1.png,y", "a9.png,x", "../../secret.png,y", "a2.png,x"]
    data = read(images, "file,label\n" + "\n".join(rows))
    assert data.notes[-1] == ("did not find 2 of 5 files that are listed: a9.png, ../../secret.png")
    with pytest.raises(DataError, match=r"expected a column of image files in .* found none"):
        read(images, "file,label\nb.png,x\n")
    with pytest.raises(DataError, match="row 3: expected 2 columns as in the first row, found 1"):
        read(images, "file,label\na0.png,x\na1.png\n")
    with pytest.raises(DataError, match=r"found 1 line without one, the first for a1.png"):
        read(images, "file,label\na0.png,x\na1.png,\n")


def test_rows_without_a_file_are_counted_and_not_named(images):
    rows = "file,label\na0.png,x\na1.png,y\n,x\na2.png,x\n"
    assert read(images, rows).notes[-1] == "did not find 1 of 4 files that are listed"
    missing = read(images, f"{rows}a9.png,y").notes[-1]
    assert missing == "did not find 2 of 5 files that are listed: a9.png"


def test_other_tables_with_labels_beside_it_are_named(images):
    for name, header in {"labels": "file,label", "more": "file;class", "sizes": "file,px"}.items():
        lines = [f"a{number}.png{header[4]}{number % 2}" for number in range(6)]
        (images / f"{name}.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
    (images / "classes.csv").write_text("id,class\n0,x", encoding="utf-8")  # no pictures in these
    (images / "results.csv").write_text("epoch,type,accuracy\n1,train,0.5", encoding="utf-8")
    assert load(TableSource(images / "labels.csv", size=(4, 4))).notes[1:] == (
        "left out more.csv beside it, which has labels, too: to take another, name it as table",
    )


def test_a_table_of_test_images_beside_one_with_parts_of_its_own_is_named(images):
    lines = [f"a{number}.png,{number % 2}" for number in range(6)]
    parts = ["train"] * 4 + ["test"] * 2
    own = [f"{line},{part}" for line, part in zip(lines, parts, strict=True)]
    (images / "train.csv").write_text("\n".join(["file,label,split", *own]), encoding="utf-8")
    (images / "test.csv").write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    assert load(TableSource(images / "train.csv", size=(4, 4))).notes[1] == (
        "left out test.csv beside it, which has labels, too: to take another, name it as table"
    )


def test_a_table_of_test_images_beside_it_is_named(images):
    lines = [f"a{number}.png,{number % 2}" for number in range(6)]
    for name, rows in {"train": lines[:4], "test": lines[4:]}.items():
        (images / f"{name}.csv").write_text("\n".join(["file,label", *rows]), encoding="utf-8")
    source = TableSource(images / "train.csv", size=(4, 4))
    assert load(source).notes[1:] == (
        "left out test.csv beside it: to test on it, put its lines into train.csv, with a column "
        "split (train or test)",
    )
    (images / "test.csv").write_text("file,width\na4.png,4\n", encoding="utf-8")
    assert load(source).notes[1:] == ("left out test.csv beside it, whose columns are others",)


@pytest.mark.parametrize("name", ["split", "pool"])
def test_one_column_a_class_beside_parts_and_an_index(images, name):
    """pandas writes the index first; with it, or with parts, no column of labels was found."""
    rows = [f"{n},a{n},{int(n < 3)},{int(n > 2)},{('train', 'test')[n % 3 // 2]}" for n in range(6)]
    text = "\n".join([f",image,rust,healthy,{name}", *rows])
    data = read(images, text, columns={"part": name} if name == "pool" else None)
    assert data.class_names == ("healthy", "rust")
    assert data.labels.tolist() == [1, 1, 0, 0, 1, 0]
    assert data.test_start == 4
    assert data.notes == (
        "read from the columns image (files in images/), one column for each of rust and healthy "
        f"(labels), {name} (parts)",
    )


def test_pictures_deeper_than_a_folder_beside_the_table_are_named(tmp_path):
    """As Kaggle's RAF-DB; it said that there were no pictures."""
    for part in ("train", "test"):
        (tmp_path / "DATASET" / part / "1").mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / "DATASET" / part / "1" / "a0.png")
    message = "image says a0.png, and pictures lie deeper, as in DATASET/test/1/; say where"
    with pytest.raises(DataError, match=message):
        read(tmp_path, "image,label\na0.png,1\n")


def test_a_column_of_zeros_among_those_of_classes_is_named(images):
    """As ISIC's UNK, or what is no class at all; nothing was said of it."""
    rows = [f"a{n},{int(n < 3)},0,{int(n > 2)}" for n in range(6)]
    data = read(images, "\n".join(["image,rust,blurred,healthy", *rows]))
    assert data.class_names == ("healthy", "rust")
    assert data.notes == (
        "read from the columns image (files in images/), one column for each of rust, blurred and "
        "healthy, of which blurred is 0 throughout (labels)",
    )


def test_images_in_two_folders(images):
    """As HAM10000's: the folders were said to have files of the same names."""
    for number in (3, 4, 5):
        (images / "more").mkdir(exist_ok=True)
        (images / "images" / f"a{number}.png").rename(images / "more" / f"a{number}.png")
    rows = [f"a{number},{number % 2}" for number in range(6)]
    with pytest.raises(DataError) as error:
        read(images, "\n".join(["image,kind", *rows]))
    assert str(error.value).endswith(
        ": expected the images of a table in one folder, found some in each of images/ and more/: "
        "put all into one, or write the folder before the name of every file, as in images/NAME"
    )
    rows = [f"{'images' if number < 3 else 'more'}/a{number},{number % 2}" for number in range(6)]
    assert len(read(images, "\n".join(["image,kind", *rows])).images) == 6


def test_a_missing_label_is_found_by_its_file(images):
    """It was counted among the images of its part that are there: [0], of the fifth line."""
    (images / "images" / "a0.png").unlink()
    rows = [f"a{n},{'NA' if n == 4 else n % 2},{'train' if n < 4 else 'test'}" for n in range(6)]
    with pytest.raises(DataError) as error:
        read(images, "\n".join(["image,label,split", *rows]))
    assert str(error.value).endswith(
        "labels: expected a label for every image, found 1 image without one, the first of a4.png "
        "(NA): label it, or leave it out"
    )


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_part_without_files_is_missed(images, part):
    """A test part whose files lay elsewhere was forgotten, and another drawn from training."""
    parts = ["train", "train", "val", "val", "test", "test"]
    for number in [number for number in range(6) if parts[number] == part]:
        (images / "images" / f"a{number}.png").unlink()
    rows = [f"a{number},{number % 2},{parts[number]}" for number in range(6)]
    with pytest.raises(DataError) as error:
        read(images, "\n".join(["image,label,split", *rows]))
    assert str(error.value).removeprefix(f"{images / 'labels.csv'}: ") == (
        f"expected images of the part {part.replace('val', 'validation')}, found none of the 2 "
        "that are listed: put these files where the others are, or take their lines out"
    )


def test_a_row_too_long_is_said_with_its_cure(images, monkeypatch):
    """As in Fashion Product Images' styles.csv; the table was named twice."""
    (images / "labels.csv").write_text("file,label\na0,1\na1,0,slim\n", encoding="utf-8")
    monkeypatch.chdir(images)
    with pytest.raises(DataError) as error:
        load(TableSource(Path("labels.csv")))
    assert str(error.value) == (
        "labels.csv: row 3: expected 2 columns as in the first row, found 3: a cell with the "
        "separator in it needs quotes"
    )


def test_a_table_without_any_names_of_files_says_so(images):
    """It was called broken, for an index out of range."""
    with pytest.raises(DataError, match=r"\(columns: label\): pictures in \w+/ are called"):
        read(images, "label\n" + "cat\ndog\n" * 3)


def test_columns_of_numbers_are_not_looked_for_where_all_files_are_found(images, monkeypatch):
    """Sixty of them, each tried with every ending in every folder, took half a minute."""
    asked = []
    found = table.place_of
    monkeypatch.setattr(table, "place_of", lambda *each: asked.append(each[1]) or found(*each))
    rows = "".join(f"a{number},{number % 2},0.{number}\n" for number in range(6))
    read(images, "id,label,mean\n" + rows)
    assert "a5" in asked and "0.5" not in asked
