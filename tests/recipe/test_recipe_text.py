"""Recipes from files and back, and the shipped ones.

Oracle: recipes written out and read again; names and words by hand.
Cost: 10 s. Run: pytest tests/recipe/test_recipe_text.py
"""

import re
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from bakeoff.data.sources import NpzSource
from bakeoff.errors import RecipeError
from bakeoff.recipe import dump, load, model_fingerprint, shipped
from tests.helpers.recipes_strategy import recipes
from tests.helpers.refused_recipes import MLP, declare


@settings(max_examples=50, deadline=None)
@given(recipe=recipes(max_epochs=3))
def test_the_yaml_of_a_recipe_loads_to_an_equal_one(recipe, tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(dump(recipe), encoding="utf-8")
    assert load(path) == recipe
    path.write_text(yaml.safe_dump(recipe.resolved()), encoding="utf-8")
    assert load(path).resolved() == recipe.resolved()


LAYERS = [
    {"conv2d": {"filters": 8, "kernel_size": 3}},
    *("batch_normalization", {"activation": "relu"}, {"max_pooling2d": 2}, {"dropout": 0.25}),
    {"dense": {"units": 64, "activation": "relu", "kernel_regularizer": {"l2": 0.001}}},
]


def many(models, layers):
    """A recipe of many models with many layers."""
    layers = (LAYERS * layers)[:layers]
    return declare(models={f"m{number}": {"layers": layers} for number in range(models)})


def test_a_hundred_models_of_forty_layers_come_back_from_their_yaml(tmp_path):
    """Every default is written out: three times as many values as were declared."""
    recipe = many(100, 40)
    path = tmp_path / "recipe.yaml"
    path.write_text(dump(recipe), encoding="utf-8")
    assert load(path) == recipe


def test_what_would_be_too_large_to_be_read_back_is_not_written():
    """A study of it was written and trained, and then refused to be opened."""
    advice = (
        "with every default written out, found {}: share its models out to several studies; "
        "`bakeoff compare` takes several"
    )
    said = "recipe x: expected at most 100,000 values " + advice.format("168,862")
    with pytest.raises(RecipeError, match=f"^{re.escape(said)}$"):
        dump(many(200, 60))
    long = f"/{15 * (255 * 'f' + '/')}m.py:{999 * 'x'}"
    recipe = declare(models={f"m{number}": {"python": f"{long}{number}"} for number in range(200)})
    said = "recipe x: expected at most 1,000,000 bytes " + advice.format("1,038,853")
    with pytest.raises(RecipeError, match=f"^{re.escape(said)}$"):
        dump(recipe)


def test_a_model_s_fingerprint_leaves_out_its_name():
    one = declare(models={"m": MLP, "n": MLP}).models
    assert model_fingerprint(one["m"]) == model_fingerprint(one["n"])
    other = declare(training={"epochs": 21}).models["mlp"]
    assert model_fingerprint(one["m"]) != model_fingerprint(other)


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_have_their_name_a_title_and_a_comment(name):
    recipe = load(name)
    assert recipe.name == name
    assert recipe.title
    text = Path(sys.modules["bakeoff"].__file__).parent / "recipe" / "shipped" / f"{name}.yaml"
    assert text.read_text(encoding="utf-8").startswith("# ")


def test_the_names_of_the_shipped_recipes():
    numbers = ["000", "001", "002", "003", "004"]
    assert shipped() == (
        "digits",
        "fashion",
        "fashion-best",
        *(f"honest-{number}" for number in numbers),
        "mnist-best",
        "mnist-mlp-best",
        *(f"notebook-{number}" for number in numbers),
        "three-models",
    )


@pytest.mark.parametrize("number", ["000", "001", "002", "003", "004"])
def test_a_notebook_and_its_twin_differ_in_the_protocol_only(number):
    as_published, honest = load(f"notebook-{number}"), load(f"honest-{number}")
    assert as_published.models == honest.models
    assert as_published.seeds == honest.seeds == tuple(range(10))
    assert (as_published.selection, honest.selection) == ("last", "best-loss")
    assert honest.split.validation.amount
    amounts = {"000": 0.2, "003": 5000}
    assert as_published.split.validation.amount == amounts.get(number, 0)


def test_a_file_goes_before_a_shipped_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load("digits").name == "digits"
    Path("digits").write_text("{name: mine, data: {npz: a.npz}, models: {m: {layers: []}}}")
    assert load("digits").name == "mine"
    assert load("digits").data == NpzSource(npz=tmp_path / "a.npz")


def test_a_byte_order_mark_is_no_part_of_the_recipe(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("name: x\ndata: digits\nmodels: {m: {layers: []}}", encoding="utf-8-sig")
    assert load(path).name == "x"


def test_an_alias_may_repeat_a_layer_list(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(
        "name: x\ndata: digits\nmodels:\n  a: {layers: &l [{dense: 3}]}\n  b: {layers: *l}\n"
    )
    models = load(path).models
    assert models["a"].layers == models["b"].layers


def test_words_of_yaml_1_1_are_text(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("name: no\ntitle: 2024-01-02\ndata: digits\nmodels: {on: {layers: []}}\n")
    recipe = load(path)
    assert (recipe.name, recipe.title, list(recipe.models)) == ("no", "2024-01-02", ["on"])
