"""What a recipe says when it is wrong: every message in full, and nothing but RecipeError.

Oracle: the messages written out here; random values and bytes for the second half.
Cost: 4 s. Run: pytest tests/recipe/test_messages.py
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.errors import RecipeError
from bakeoff.recipe import load, parse, shipped
from tests.helpers.recipes_strategy import mappings
from tests.helpers.refused_recipes import RECIPES, refusal


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digit", "did you mean digits?"),
        ("three_models.yml", "did you mean three-models?"),
        ("xyzzy", f"shipped: {', '.join(shipped())}"),
    ],
)
def test_a_recipe_that_is_not_there(name, expected):
    with pytest.raises(RecipeError) as caught:
        load(name)
    assert str(caught.value) == (
        f"recipe '{name}': expected a recipe file or the name of a shipped recipe, found neither; "
        f"{expected}"
    )


@pytest.mark.parametrize(
    ("there", "asked"), [("names.yaml", "names.yml"), ("b.yml", "b.yaml"), ("c.yaml", "c")]
)
def test_a_recipe_with_another_ending_is_named(tmp_path, there, asked):
    (tmp_path / there).touch()
    with pytest.raises(RecipeError) as caught:
        load(str(tmp_path / asked))
    assert str(caught.value).endswith(f"found no such file; did you mean {tmp_path / there}?")


def test_a_folder_is_no_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    with pytest.raises(RecipeError) as caught:
        load("photos")
    assert str(caught.value) == (
        "recipe 'photos': expected a recipe file or the name of a shipped recipe, found a folder; "
        "bakeoff new FOLDER writes a recipe for a folder of images"
    )
    Path("photos/study.json").touch()
    with pytest.raises(RecipeError, match=r"a study's folder; its recipe is photos/recipe\.yaml$"):
        load("photos")


def test_data_is_no_recipe_and_new_writes_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my digits.npz").write_bytes(b"PK\xb8")
    expected = "expected a recipe file or the name of a shipped recipe, found"
    with pytest.raises(RecipeError) as caught:
        load("my digits.npz")
    assert str(caught.value) == (
        f"recipe 'my digits.npz': {expected} a file of data; bakeoff new 'my digits.npz' writes one"
    )
    with pytest.raises(RecipeError) as caught:
        load("mnist")
    assert str(caught.value) == (
        f"recipe 'mnist': {expected} the name of a data set; bakeoff new mnist writes one"
    )


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)
FILES = [
    (b"", ": expected keys such as name, data and models, found nothing"),
    (b"- 1", ": expected keys such as name, data and models, found [1]"),
    (b"name: \xff", ", line 1: expected UTF-8 text, found the byte 0xff; save the file as UTF-8"),
    (b"name: \x00", ": expected plain text, found the control character 0x00; remove it"),
    (b"name: a\nname: b", ", line 2: the key name stands here and in line 1; remove one"),
    (
        b"a: b: c",
        ", line 1: this is not YAML: mapping values are not allowed here; a text "
        "with ': ' in it needs quotes",
    ),
    (
        b"a:\n\tb: 1",
        r", line 2: this is not YAML: found character '\t' that cannot start any token; indent "
        "with spaces, not tabs",
    ),
    (b"a: 1\n---\nb: 1", ", line 2: this is not YAML: found another document"),
    (b"a: *b", ", line 1: this is not YAML: found undefined alias 'b'"),
    (b"? [a]\n: 1", ", line 1: expected a word as key, found a list or mapping"),
    (
        b"a: !!python/object/apply:os.system [ls]",
        ", line 1: expected plain data, found the tag "
        "tag:yaml.org,2002:python/object/apply:os.system; remove it",
    ),
    (b"a: !b c", ", line 1: expected plain data, found the tag !b; remove it"),
    (
        b"a: &a [*a]",
        ", line 1: expected fewer values; an alias (*name) repeats too much",
    ),
    (
        BOMB.encode(),
        ", line 1: expected fewer values; an alias (*name) repeats too much",
    ),
    (b"[" * 10000, ", line 1: expected at most 20 levels of nesting, found more"),
    (
        b"a: [" + b"1," * 200_000 + b"]",
        ", line 1: expected at most 100,000 values, found more",
    ),
    (
        b"a" * 1_000_001,
        ": expected at most 1,000,000 bytes, found more; this does not look like a recipe",
    ),
    (
        b"a: " + b"9" * 5000,
        ", line 1: expected a number of ordinary size, found one too long",
    ),
]


@pytest.mark.parametrize(("content", "rest"), FILES, ids=range(len(FILES)))
def test_files_that_cannot_be_read(content, rest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        load("x.yaml")
    assert str(caught.value) == f"recipe x.yaml{rest}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "data",
                    "models",
                    "layers",
                    "training",
                    "optimizer",
                    "adam",
                    "dense",
                    "units",
                ]
            )
            | st.text(max_size=5)
            | st.integers(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(raw=json_values, base=mappings(), data=st.data())
def test_nothing_but_a_recipe_error_leaves_parse(raw, base, data):
    keys = ["name", "title", "data", "split", "seeds", "selection", "training", "baselines"]
    keys += ["margin", "give_up", "prefer", "models", "x"]
    changed = {**base, data.draw(st.sampled_from(keys)): raw}
    name = next(iter(base["models"]))
    part = data.draw(st.sampled_from(["layers", "output", "training", "python", "x"]))
    inner = {**base, "models": {name: {**base["models"][name], part: raw}}}
    layers = {**base, "models": {name: {"layers": [raw]}}}
    for each in (raw, changed, inner, layers):
        try:
            parse(each, origin="x", folder=Path("/"))
        except RecipeError as error:
            assert "\n" not in str(error)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_nothing_but_a_recipe_error_leaves_load(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError):
        load(path)


@pytest.mark.parametrize(("changes", "rest"), RECIPES, ids=range(len(RECIPES)))
def test_what_is_wrong_is_said_in_one_line(changes, rest):
    assert refusal(**changes) == f"recipe x.yaml{rest}"
