"""Recipes: loading, defaults, merging, learning rates, round trips.

Oracle: docs/recipe.md's grammar written out by hand; learning rates by hand arithmetic.
Cost: 15 s. Run: pytest tests/recipe/test_parse_recipe.py
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from bakeoff.data.sources import FolderSource, NpzSource
from bakeoff.data.split import Part
from bakeoff.errors import RecipeError
from bakeoff.recipe import (
    Phase,
    dump,
    load,
    model_fingerprint,
    parse,
    shipped,
)
from tests.helpers.recipes_strategy import recipes
from tests.helpers.refused_recipes import MLP, declare, refusal

DOCS = Path(__file__).parents[2] / "docs" / "recipe.md"


# ---- what is read


def test_defaults():
    recipe = declare()
    assert recipe.title is None
    assert recipe.split.validation == Part(amount=0.2, taken="stratified")
    assert (recipe.split.test, recipe.split.seed) == (0.2, 0)
    assert recipe.seeds == (0, 1, 2, 3, 4)
    assert recipe.selection == "best-loss"
    assert recipe.baselines == ("majority", "logistic")
    assert (recipe.margin, recipe.give_up) == (0.002, 0.005)
    training = recipe.models["mlp"].training
    assert training == recipe.training
    assert (training.epochs, training.batch_size) == (20, 32)
    assert training.optimizer.kind == "adam"
    assert training.optimizer.learning_rate == (Phase(kind="constant", start=0.001),)


def test_seeds_are_a_number_or_a_list():
    assert declare(seeds=3).seeds == (0, 1, 2)
    assert declare(seeds=[7, 3]).seeds == (7, 3)


def test_paths_are_relative_to_the_recipe(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert declare(data={"folder": "photos"}).data == FolderSource(folder=Path("/studies/photos"))
    assert declare(data={"npz": "../a.npz"}).data == NpzSource(npz=Path("/a.npz"))
    data = {"folder": "~/photos", "size": 32, "color": "rgb"}
    read = FolderSource(folder=Path("/home/someone/photos"), size=(32, 32), color="rgb")
    assert declare(data=data).data == read
    mine = declare(models={"mine": {"python": "code/my_models.py:build"}}).models["mine"]
    assert (mine.layers, mine.python) == (None, "/studies/code/my_models.py:build")


def test_a_title_is_one_line():
    assert declare(title=" a <b>\n  ü ").title == "a <b> ü"


# ---- training, merged


def test_what_is_wrong_only_together_is_said_of_the_model():
    training = {"optimizer": {"adam": {"clipnorm": 1}}}
    model = {**MLP, "training": {"optimizer": {"adam": {"clipvalue": 1}}}}
    assert refusal(training=training, models={"m": model}) == (
        "recipe x.yaml, models.m.training.optimizer.adam: expected only one of clipnorm, "
        "clipvalue, global_clipnorm, found clipnorm and clipvalue"
    )
    model["training"]["optimizer"]["adam"]["clipnorm"] = None
    arguments = declare(training=training, models={"m": model}).models["m"].training.optimizer
    assert (arguments.arguments["clipnorm"], arguments.arguments["clipvalue"]) == (None, 1.0)


# ---- learning rates


# ---- there and back


@settings(max_examples=200, deadline=None)
@given(recipe=recipes(max_epochs=3))
def test_resolved_is_a_recipe_that_reads_to_the_same(recipe):
    plain = recipe.resolved()
    again = parse(plain, origin="resolved", folder=Path("/elsewhere"))
    assert again == recipe
    assert json.loads(json.dumps(plain)) == plain
    assert again.resolved() == plain


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


# ---- files


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


def test_reading_a_recipe_loads_neither_keras_nor_jax():
    code = "import sys, bakeoff.recipe, bakeoff.recipe.architecture, bakeoff.recipe.json_schema; "
    code += "print({'keras', 'jax', 'vl_convert', 'sklearn', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# ---- folds
