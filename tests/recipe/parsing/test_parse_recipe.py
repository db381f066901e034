"""Recipes: loading, defaults, merging, learning rates, round trips.

Oracle: docs/recipe.md's grammar written out by hand; learning rates by hand arithmetic.
Cost: 5 s. Run: pytest tests/recipe/parsing/test_parse_recipe.py
"""

import json
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings

from bakeoff.data.sources import FolderSource, NpzSource
from bakeoff.data.split import Part
from bakeoff.recipe import (
    Phase,
    parse,
)
from tests.helpers.recipes_strategy import recipes
from tests.helpers.refused_recipes import MLP, declare, refusal

DOCS = Path(__file__).parents[3] / "docs" / "recipe.md"


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
    assert declare(title="a \u202eb").title == r"a \u202eb"  # it would turn what follows round


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


# ---- files


def test_reading_a_recipe_loads_neither_keras_nor_jax():
    code = "import sys, bakeoff.recipe, bakeoff.recipe.architecture, bakeoff.recipe.json_schema; "
    code += "print({'keras', 'jax', 'vl_convert', 'sklearn', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# ---- folds
