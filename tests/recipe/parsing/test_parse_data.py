"""What a recipe's `data` may say: every kind is read, written and described by the schema.

Oracle: the sources written out by hand. Cost: 2 s.
Run: pytest tests/recipe/parsing/test_parse_data.py
"""

from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml

from bakeoff.data import sources as kinds
from bakeoff.errors import RecipeError
from bakeoff.recipe import dump, parse
from bakeoff.recipe.json_schema import schema
from tests.helpers.refused_recipes import MLP

HERE = Path("/studies")
GOOD = [
    ("digits", "digits"),
    (
        {"folder": "pets", "size": 32, "color": "rgb", "fit": "crop"},
        kinds.FolderSource(HERE / "pets", size=(32, 32), color="rgb", fit="crop"),
    ),
    (
        {"folder": "pets", "parts": {"train": "a", "test": "b"}, "scale": 4095},
        kinds.FolderSource(HERE / "pets", parts={"train": "a", "test": "b"}, scale=4095.0),
    ),
    (
        {"table": "a/labels.csv", "images": "a", "columns": {"file": "id", "label": "breed"}},
        kinds.TableSource(HERE / "a/labels.csv", HERE / "a", {"file": "id", "label": "breed"}),
    ),
    (
        {"npz": "a.npz", "keys": {"x": "photos", "y": "kinds"}, "scale": 16},
        kinds.NpzSource(HERE / "a.npz", {"x": "photos", "y": "kinds"}, 16.0),
    ),
    (
        {"csv": "train.csv", "test": "test.csv", "label": 0, "shape": [4, 6, 3]},
        kinds.CsvSource(HERE / "train.csv", HERE / "test.csv", "0", (4, 6, 3)),
    ),
    ({"idx": ["a", "/b"]}, kinds.IdxSource((HERE / "a", Path("/b")))),
    ({"idx": list("abcd")}, kinds.IdxSource(tuple(HERE / each for each in "abcd"))),
    (
        {"parquet": "data", "columns": {"image": "img"}, "fit": "pad"},
        kinds.ParquetSource(HERE / "data", {"image": "img"}, fit="pad"),
    ),
    ({"arrays": "0" * 64}, kinds.ArraysSource("0" * 64)),
]


@cache
def validator():
    return jsonschema.Draft202012Validator(schema())


def read(data):
    return parse({"name": "x", "data": data, "models": {"m": MLP}}, origin="r", folder=HERE)


@pytest.mark.parametrize(("data", "source"), GOOD, ids=range(len(GOOD)))
def test_every_kind_is_read_and_written(data, source):
    recipe = read(data)
    assert recipe.data == source
    again = yaml.safe_load(dump(recipe))
    assert parse(again, origin="r", folder=Path("/elsewhere")) == recipe
    for mapping in ({"name": "x", "data": data, "models": {"m": MLP}}, again):
        validator().validate(mapping)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"folder": "a", "fit": "squeeze"}, "data.fit: expected a fit (stretch, crop, pad), found"),
        ({"folder": "a", "fitt": "crop"}, "data.fitt: unknown key; did you mean fit?"),
        ({"folder": "a", "scale": 0}, "data.scale: expected a number above 0 up to"),
        ({"folder": "a", "parts": {"val": "b"}}, "data.parts.val: unknown key; did you mean"),
        ({"folder": "a", "parts": []}, "data.parts: expected names for some of train, validation"),
        ({"npz": "a", "keys": {"x": 3.5}}, "data.keys.x: expected a name, found 3.5"),
        ({"npz": "a", "size": 3}, "data.size: unknown key; known: npz, keys, scale"),
        ({"csv": "a", "shape": [2, 3, 4]}, "data.shape: expected [height, width] or [height, "),
        ({"idx": "a"}, "data.idx: expected [images, labels] or [images, labels, test images, "),
        ({"idx": ["a", 3]}, "data.idx[2]: expected the path of an IDX file, found 3"),
        ({"table": ""}, "data.table: expected the path of a table (CSV), found ''"),
        ({"arrays": "abc"}, "data.arrays: expected the hash of arrays given in Python, found"),
        ("mine.csv", "data: expected digits, mnist, fashion-mnist, or one of {folder: PATH}, "),
        ({"path": "a"}, "data: expected digits, mnist, fashion-mnist, or one of {folder: PATH}, "),
    ],
)
def test_refusals(data, message):
    with pytest.raises(RecipeError) as error:
        read(data)
    assert str(error.value).startswith(f"recipe r, {message}")


def test_a_file_is_answered_with_its_kind():
    for name, hint in (("a.csv", "{csv: a.csv}"), ("b/a.npz", "{npz: b/a.npz}")):
        with pytest.raises(RecipeError) as error:
            read(name)
        assert str(error.value).endswith(f"; did you mean {hint}?")
