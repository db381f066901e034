"""Parquet as Hugging Face stores image sets; needs pyarrow.

Oracle: the rows written here. Cost: 2 s. Run: pytest tests/data/formats/test_parquet.py
"""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from bakeoff.data import ParquetSource, load, own_parts
from bakeoff.data.recognise import recognise
from bakeoff.errors import DataError

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
SIZE = {"size": (4, 4), "color": "grey"}


def encoded(value, kind="PNG", dtype=np.uint8):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4), value, dtype)).save(buffer, format=kind)
    return buffer.getvalue()


def write(path, values, labels, *, names=None, columns=("image", "label"), plain=False,
          dtype=np.uint8):  # fmt: skip
    images = [encoded(value, dtype=dtype) for value in values]
    rows = images if plain else [{"bytes": each, "path": None} for each in images]
    table = arrow.table({columns[0]: rows, columns[1]: labels})
    if names is not None:
        about = {"info": {"features": {columns[1]: {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)
    return path


def test_parts_and_class_names(tmp_path):
    for part, values in (("train", [10, 20, 30]), ("validation", [40]), ("test", [50, 60])):
        path = tmp_path / "data" / f"{part}-00000-of-00001.parquet"
        write(path, values, [each // 10 % 2 for each in values], names=["odd", "even"])
        path.with_name(f"._{path.name}").write_bytes(b"of macOS")
    data = load(ParquetSource(tmp_path, **SIZE))
    assert data.images[:, 0, 0, 0].tolist() == [10, 20, 30, 40, 50, 60]
    assert data.class_names == ("odd", "even")
    assert {k: len(v) for k, v in own_parts(data).items()} == {
        "train": 3,
        "validation": 1,
        "test": 2,
    }
    assert recognise(tmp_path) == ParquetSource(tmp_path, size=(8, 8), color="grey")


def test_size_and_colour_are_guessed_from_the_pictures(tmp_path):
    images = []
    for side in (100, 96, 96):
        buffer = io.BytesIO()
        Image.new("RGB", (side, 48), (250, 10, 10)).save(buffer, format="PNG")
        images.append(buffer.getvalue())
    rows = arrow.table({"image": images, "label": [0, 1, 0]})
    parquet.write_table(rows, tmp_path / "a.parquet")
    expected = ParquetSource(tmp_path / "a.parquet", size=(32, 64), color="rgb", fit="stretch")
    assert recognise(tmp_path / "a.parquet") == expected


def test_one_file_of_other_columns(tmp_path):
    path = write(
        tmp_path / "a.parquet", [90, 80, 70], ["x", "y", "x"], columns=("img", "kind"), plain=True
    )
    data = load(ParquetSource(path, columns={"label": "kind"}, **SIZE))
    np.testing.assert_array_equal(data.labels, [0, 1, 0])
    with pytest.raises(DataError, match="expected a column of labels, found img, kind: name it"):
        load(ParquetSource(path, **SIZE))


def test_twelve_bits_in_sixteen(tmp_path):
    path = write(tmp_path / "a.parquet", [4095, 0, 2048], ["x", "y", "x"], dtype=np.uint16)
    data = load(ParquetSource(path, **SIZE))
    assert data.images[:, 0, 0, 0].tolist() == [255, 0, 128]
    assert (data.maximum, data.deep_white) == (255, 4095)
    assert data.notes[1] == "the largest value of 16 bits is 4,095: white is 4,095"


def test_refusals(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    broken = re.escape(f"{tmp_path / 'a.parquet'}: broken (")
    with pytest.raises(DataError, match=rf"^{broken}.+\): get the file again$"):
        load(ParquetSource(tmp_path / "a.parquet"))
    table = arrow.table({"image": [b"no image"] * 2, "label": [0, 1]})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="image 0: not an image that can be read here"):
        load(ParquetSource(tmp_path / "a.parquet"))


def test_images_without_a_label_are_to_be_left_out(tmp_path):
    """Hugging Face writes -1 for them."""
    write(tmp_path / "train-0.parquet", [10, 20, 30], [0, 1, -1], names=["cat", "dog"])
    with pytest.raises(DataError, match=r"found -1: -1 means no label; leave those images out$"):
        load(ParquetSource(tmp_path, **SIZE))


@pytest.mark.parametrize(
    ("other", "expected", "part"),
    [("test-0.parquet", "training part", "test"), ("train-1.parquet", "first file", "train")],
)
def test_all_files_must_name_the_classes_alike(tmp_path, other, expected, part):
    write(tmp_path / "train-0.parquet", [10, 20], [0, 1], names=["cat", "dog"])
    write(tmp_path / other, [10, 20], [0, 1], names=["dog", "cat"])
    with pytest.raises(DataError) as error:
        load(ParquetSource(tmp_path, **SIZE))
    assert str(error.value) == (
        f"{tmp_path}: {other}: expected the class names of the {expected} (cat and dog), "
        f"found dog and cat in the {part} part: store them alike"
    )


@pytest.mark.parametrize(
    ("cells", "labels", "message"),
    [
        ([b"", "b.png"], [0, 1], "the bytes of an image in every row of image, found a path"),
        ([b"", None], [0, 1], "the bytes of an image in every row of image, found nothing"),
        ([b"", b""], [0, None], "a label in every row of label, found nothing"),
    ],
)
def test_a_row_that_lacks_something_is_named(tmp_path, cells, labels, message):
    rows = [{"bytes": encoded(9) if each == b"" else None, "path": each} for each in cells]
    images = [None if row["path"] is None else row for row in rows]
    images = [{**row, "path": None} if row and row["bytes"] else row for row in images]
    table = arrow.table({"image": images, "label": labels})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError) as error:
        load(ParquetSource(tmp_path / "a.parquet", **SIZE))
    assert str(error.value) == f"{tmp_path / 'a.parquet'}: a.parquet: expected {message} in row 1"


def test_one_file_of_several_is_noted(tmp_path):
    for number in range(2):
        path = write(tmp_path / f"train-0000{number}-of-00002.parquet", [10, 20], [0, 1])
    assert load(ParquetSource(path, **SIZE)).notes[1] == (
        "train-00001-of-00002.parquet is one of 2 files of a part (train-00000-of-00002.parquet "
        "beside it): to read all, name the folder"
    )
    assert not any("one of" in note for note in load(ParquetSource(tmp_path, **SIZE)).notes)


def test_folders_as_hugging_face_converts_them_are_recognised(tmp_path):
    for part, values in {"train": [10, 20], "test": [30, 40]}.items():
        write(tmp_path / "hf" / "default" / part / "0000.parquet", values, [0, 1])
    source = recognise(tmp_path / "hf")
    assert isinstance(source, ParquetSource)
    assert load(source).test_start == 2
    write(tmp_path / "hf" / "other" / "train" / "0000.parquet", [50, 60], [0, 1])
    with pytest.raises(DataError) as error:
        recognise(tmp_path / "hf")
    assert str(error.value) == (
        f"{tmp_path / 'hf'}: expected one data set in Parquet files, found them in default/ and "
        "other/: name one of these folders"
    )


def test_a_table_of_pixels_is_no_set_of_images(tmp_path):
    """All 784 columns stood in the message."""
    rows = arrow.table({f"pixel{number}": [1, 2] for number in range(16)} | {"label": [0, 1]})
    parquet.write_table(rows, tmp_path / "a.parquet")
    with pytest.raises(DataError) as error:
        load(ParquetSource(tmp_path / "a.parquet"))
    assert str(error.value) == (
        f"{tmp_path / 'a.parquet'}: expected a column of images, found pixel0, pixel1, pixel2, "
        "pixel3, pixel4, pixel5, pixel6, pixel7 …: name it, as in {parquet: …, columns: {image: "
        "COLUMN}}; a table of pixels is read as CSV"
    )


def test_columns_in_no_use_are_named(tmp_path):
    """A column of parts was passed over without a word, and a test part drawn."""
    cells = {"image": [encoded(90), encoded(80)], "label": [0, 1], "patient": [1, 2], "id": [1, 2]}
    for more, said in (
        ({}, ""),
        (
            {"split": ["train", "test"]},
            " and split (parts are files, train-… and test-…, not cells of split)",
        ),
    ):
        parquet.write_table(arrow.table(cells | more), tmp_path / "a.parquet")
        data = load(ParquetSource(tmp_path / "a.parquet", **SIZE))
        assert data.notes[0] == (f"read from the columns image and label; ignored patient{said}")
