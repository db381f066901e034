"""Recipes: loading, defaults, merging, learning rates, round trips.

Oracle: docs/recipe.md's grammar written out by hand; learning rates by hand arithmetic.
Cost: 15 s. Run: pytest tests/recipe/test_parse_recipe.py
"""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings

from bakeoff.data.sources import FolderSource, NpzSource
from bakeoff.data.split import Part
from bakeoff.errors import RecipeError
from bakeoff.recipe import (
    Layer,
    ModelRecipe,
    Optimizer,
    Phase,
    Recipe,
    dump,
    load,
    model_fingerprint,
    parse,
    shipped,
)
from tests.helpers.recipes_strategy import recipes
from tests.helpers.refused_recipes import MLP, refusal

DOCS = Path(__file__).parents[2] / "docs" / "recipe.md"


def declare(**changes):
    return parse(
        {"name": "x", "data": "digits", "models": {"mlp": MLP}, **changes},
        origin="x.yaml",
        folder=Path("/studies"),
    )


def rates(learning_rate, epochs):
    training = {"epochs": epochs, "optimizer": {"adam": {"learning_rate": learning_rate}}}
    recipe = declare(training=training)
    return recipe.models["mlp"].training.optimizer.learning_rates(epochs)


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


def test_the_three_forms_of_a_layer_are_one_layer():
    layers = ["p_re_lu", {"p_re_lu": {}}, {"p_re_lu": None}]
    assert len(set(map(repr, declare(models={"m": {"layers": layers}}).models["m"].layers))) == 1
    layers = [{"max_pooling2d": 2}, {"max_pooling2d": [2, 2]}, "max_pooling2d"]
    layers += [{"max_pooling2d": {"pool_size": 2, "strides": [2, 2]}}]
    first, *others = declare(models={"m": {"layers": layers}}).models["m"].layers
    assert first.arguments == {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}
    assert all(each == first for each in others)


def test_numbers_that_yaml_reads_as_text_are_numbers():
    layer = {"dense": {"units": "64", "kernel_regularizer": {"l2": "8e-4"}}}
    recipe = declare(models={"m": {"layers": [layer]}}, margin="1e-3")
    assert recipe.models["m"].layers[0].arguments["units"] == 64
    assert recipe.models["m"].layers[0].arguments["kernel_regularizer"] == {"l2": 0.0008}
    assert recipe.margin == 0.001


def test_a_part_directly_made_is_complete_too():
    assert Layer(kind="dense", arguments={"units": 3}).arguments["kernel_initializer"]
    assert Optimizer(kind="sgd").learning_rates(2).tolist() == [0.01, 0.01]
    model = ModelRecipe(name="m", layers=(Layer(kind="flatten"),), training=declare().training)
    assert model.output["use_bias"] is True
    with pytest.raises(ValueError, match="expected a layer's kind"):
        Layer(kind="dens")
    with pytest.raises(ValueError, match="expected an optimizer's kind"):
        Optimizer(kind="adm")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (10000, Part(amount=10000)),
        ("0.25", Part(amount=0.25)),
        ({"first": 5000}, Part(amount=5000, taken="first")),
        ({"last": 0.2}, Part(amount=0.2, taken="last")),
    ],
)
def test_validation(written, read):
    assert declare(split={"validation": written}).split.validation == read


def test_no_validation_goes_with_the_last_epoch():
    recipe = declare(split={"validation": 0}, selection="last")
    assert recipe.split.validation == Part(amount=0)
    assert refusal(split={"validation": 0.0}) == (
        "recipe x.yaml, split.validation: expected validation images, since selection is "
        "best-loss, found 0: give some, or write selection: last"
    )


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


def test_training_is_overridden_key_by_key():
    recipe = declare(
        training={"epochs": 7, "optimizer": {"adam": {"learning_rate": 0.01, "beta_1": 0.8}}},
        models={
            "a": MLP,
            "b": {**MLP, "training": {"batch_size": 64, "optimizer": {"adam": {"beta_2": 0.9}}}},
            "c": {**MLP, "training": {"epochs": 9, "optimizer": "sgd"}},
            "d": {**MLP, "training": {"optimizer": {"adam": 0.5}}},
            "e": {**MLP, "training": {"optimizer": "adam"}},
        },
    )
    a, b, c, d, e = (model.training for model in recipe.models.values())
    assert a == recipe.training == e
    assert (b.epochs, b.batch_size) == (7, 64)
    assert b.optimizer.arguments == {**a.optimizer.arguments, "beta_2": 0.9}
    assert b.optimizer.learning_rate == a.optimizer.learning_rate
    assert (c.epochs, c.batch_size, c.optimizer) == (9, 32, Optimizer(kind="sgd"))
    assert d.optimizer.arguments["beta_1"] == 0.8
    assert d.optimizer.learning_rates(1).tolist() == [0.5]


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


def test_phases_of_the_defaults_must_cover_the_epochs_of_each_model():
    phases = [{"epochs": 3, "constant": 0.1}]
    training = {"epochs": 3, "optimizer": {"sgd": {"learning_rate": phases}}}
    assert declare(training=training).training.epochs == 3
    models = {"a": MLP, "b": {**MLP, "training": {"epochs": 5}}}
    assert refusal(training=training, models=models) == (
        "recipe x.yaml, models.b.training.optimizer.sgd.learning_rate: expected phases for 5 "
        "epochs, found 3: leave epochs out of the last phase, and it runs to the end"
    )


# ---- learning rates


def test_the_schedules_of_notebook_003():
    models = load("notebook-003").models
    k = np.arange(50)
    mlp = np.where(k < 10, 0.0005, 0.0005 * np.exp(0.1 * (10 - k)))
    read = models["fashion-mlp"].training.optimizer.learning_rates(50)
    np.testing.assert_allclose(read, mlp, rtol=1e-12)
    k = np.arange(15)
    cnn = np.where(k <= 5, 0.0005 * np.exp(0.2 * (5 - k)), 0.0005)
    read = models["fashion-cnn"].training.optimizer.learning_rates(15)
    np.testing.assert_allclose(read, cnn, rtol=1e-6)
    assert read.dtype == np.float64


def test_linear_and_cosine_reach_their_end_in_the_last_epoch():
    linear = rates([{"linear": {"start": 0.5, "end": 0.1}}], 5)
    np.testing.assert_allclose(linear, [0.5, 0.4, 0.3, 0.2, 0.1])
    cosine = rates([{"cosine": {"start": 1, "end": 0}}], 5)
    half = math.sqrt(0.5)
    np.testing.assert_allclose(cosine, [1, (1 + half) / 2, 0.5, (1 - half) / 2, 0], atol=1e-15)
    assert cosine[-1] == 0
    assert rates([{"linear": {"start": 0.5, "end": 0.1}}], 1).tolist() == [0.1]


def test_every_phase_counts_from_its_own_start():
    phases = [
        {"epochs": 2, "exponential": {"start": 1, "rate": -1}},
        {"epochs": 2, "linear": {"start": 0.2, "end": 0}},
        {"constant": 0.3},
    ]
    np.testing.assert_allclose(rates(phases, 6), [1, math.exp(-1), 0.2, 0, 0.3, 0.3])


@pytest.mark.parametrize(
    ("phases", "rest"),
    [
        (
            [{"constant": 0.1}, {"constant": 0.2}],
            "learning_rate[1]: only the last phase may leave out epochs",
        ),
        (
            [{"epochs": 5, "constant": 0.1}, {"constant": 0.2}],
            "learning_rate: expected epochs left for the last phase, found 5 of 5 taken by the "
            "phases before it: shorten them",
        ),
        (
            [{"epochs": 6, "constant": 0.1}],
            "learning_rate: expected phases for 5 epochs, found 6: shorten a phase",
        ),
        (
            [{"exponential": {"start": 1, "rate": 100}}],
            "learning_rate[1]: expected learning rates up to 1e+06, found 5.22e+173: give a "
            "smaller rate",
        ),
    ],
)
def test_phases_that_do_not_go_with_the_epochs(phases, rest):
    training = {"epochs": 5, "optimizer": {"adam": {"learning_rate": phases}}}
    place = "models.mlp.training.optimizer.adam"
    assert refusal(training=training) == f"recipe x.yaml, {place}.{rest}"


@pytest.mark.parametrize(
    ("learning_rate", "rest"),
    [
        ([], ": expected 1 to 1,000 phases, found an empty list"),
        (
            {"constant": 0.1},
            ": expected a number or a list of phases, found a mapping: put [ ] round it",
        ),
        (
            0,
            ": expected a number above 0 up to 1,000,000, found 0; a list of phases is the other "
            "form",
        ),
        (
            [{"epochs": 3}],
            "[1]: expected one phase, found an empty mapping: write it as "
            "{epochs: 10, constant: 0.001}",
        ),
        ([0.1], "[1]: expected a phase such as {epochs: 10, constant: 0.001}, found 0.1"),
        ([{"cosin": {"start": 1}}], "[1]: unknown phase cosin; did you mean cosine?"),
        ([{"cosine": {"start": 1}}], "[1].cosine: end is missing"),
        (
            [{"cosine": 0.1}],
            "[1].cosine: expected {arguments} (start, end), found 0.1",
        ),
        (
            [{"epochs": 0, "constant": 0.1}],
            "[1].epochs: expected a whole number from 1 to 100,000, found 0",
        ),
    ],
)
def test_learning_rates_that_cannot_be_read(learning_rate, rest):
    training = {"optimizer": {"adam": {"learning_rate": learning_rate}}}
    place = "recipe x.yaml, training.optimizer.adam.learning_rate"
    assert refusal(training=training) == place + rest


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
    said = "recipe x: expected at most 100,000 values " + advice.format("168,860")
    with pytest.raises(RecipeError, match=f"^{re.escape(said)}$"):
        dump(many(200, 60))
    long = f"/{15 * (255 * 'f' + '/')}m.py:{999 * 'x'}"
    recipe = declare(models={f"m{number}": {"python": f"{long}{number}"} for number in range(200)})
    said = "recipe x: expected at most 1,000,000 bytes " + advice.format("1,038,834")
    with pytest.raises(RecipeError, match=f"^{re.escape(said)}$"):
        dump(recipe)


@settings(max_examples=50, deadline=None)
@given(recipe=recipes(max_epochs=3))
def test_a_model_survives_json(recipe):
    for model in recipe.models.values():
        assert ModelRecipe.model_validate_json(model.model_dump_json()) == model
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_recipe_does_not_change():
    recipe = declare()
    with pytest.raises(ValueError, match="frozen"):
        recipe.name = "y"


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


def test_folds_take_the_place_of_test_and_seeds():
    recipe = declare(split={"folds": 5})
    assert (recipe.split.folds, recipe.seeds) == (5, (0, 1, 2, 3, 4))
    recipe = declare(split={"folds": 10, "repeats": 3, "validation": 0.1, "seed": 7})
    assert (recipe.split.folds, recipe.seeds) == (10, (0, 1, 2))
    resolved = recipe.resolved()
    assert resolved["split"] == {"folds": 10, "repeats": 3, "validation": 0.1, "seed": 7}
    assert "seeds" not in resolved
    assert parse(resolved, origin="again", folder=Path("/studies")) == recipe
    assert parse(yaml.safe_load(dump(recipe)), origin="again", folder=Path("/")) == recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"split": {"folds": 1}},
            "split.folds: expected a whole number from 2 to 100, found 1",
        ),
        (
            {"split": {"folds": 5, "repeats": 0}},
            "split.repeats: expected a whole number from 1 to 1,000, found 0",
        ),
        (
            {"split": {"repeats": 5}},
            "split: expected folds beside repeats, found none: write {folds: 5, repeats: 5}",
        ),
        (
            {"split": {"folds": 5, "test": 0.2}},
            "split: expected either folds or test, found both: with folds every image is tested "
            "once a repeat; leave test out",
        ),
        (
            {"split": {"folds": 5, "validation": {"first": 10}}},
            "split: expected validation as a count or a fraction beside folds, found first: it is "
            "drawn from the training folds",
        ),
        (
            {"split": {"folds": 5}, "seeds": 3},
            "seeds: expected no seeds beside split.folds, where seed r trains repeat r, found "
            "some: write split.repeats instead",
        ),
    ],
)
def test_what_makes_no_sense_with_folds_is_refused(changes, message):
    assert refusal(**changes) == f"recipe x.yaml, {message}"
