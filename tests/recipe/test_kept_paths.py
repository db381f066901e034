"""A recipe's paths as a study keeps them: seen from its folder, wherever that is moved to.

Oracle: paths by hand; the recipe that is read back. Cost: nothing.
Run: pytest tests/recipe/test_kept_paths.py
"""

from pathlib import Path

import pytest
import yaml

from bakeoff.recipe import dump, parse
from bakeoff.recipe.kept_paths import kept_paths, without_folders, without_paths
from tests.helpers.refused_recipes import MLP
from tests.recipe.parsing.test_parse_data import GOOD

PROJECT = Path("/work/leaves")
STUDY = PROJECT / "studies" / "x"
BACKBONE = {"study": "studies/base", "model": "cnn", "trainable": True}


def read(folder, data="digits", **models):
    raw = {"name": "x", "data": data, "models": models or {"m": MLP}}
    return parse(raw, origin="r", folder=folder)


@pytest.mark.parametrize("data", [data for data, _ in GOOD], ids=range(len(GOOD)))
def test_every_kind_of_data_moves_along_with_its_study(data):
    kept = kept_paths(read(PROJECT, data).resolved(), STUDY)
    assert str(PROJECT) not in str(kept)
    assert parse(kept, origin="r", folder=STUDY) == read(PROJECT, data)
    there = Path("/home/ann/received")
    if data != {"idx": ["a", "/b"]}:  # whose second file is no part of the project
        moved = parse(kept, origin="r", folder=there / "studies" / "x")
        assert moved == read(there, data)


def test_builders_and_studies_move_along_too_and_so_do_those_of_searches():
    rate = {"optimizer": {"adam": {"learning_rate": {"log": [0.001, 0.1]}}}}
    models = {
        "mine": {"python": "code/mine.py:build"},
        "searched": {"python": "code/mine.py:build", "training": rate},
        "from-base": {"backbone": BACKBONE, "layers": []},
        "searched-base": {"backbone": BACKBONE, "layers": [], "training": rate},
    }
    recipe = read(PROJECT, "mnist", **models)
    kept = kept_paths(recipe.resolved(), STUDY)
    assert {kept["models"][name]["python"] for name in ("mine", "searched")} == {
        "../../code/mine.py:build"
    }
    assert {kept["models"][name]["backbone"]["study"] for name in models if "base" in name} == {
        "../base"
    }
    assert parse(kept, origin="r", folder=STUDY) == recipe
    assert yaml.safe_load(dump(recipe, folder=STUDY)) == kept


def test_of_a_trial_s_settings_names_are_left():
    """A trial trained by somebody else, with the same file elsewhere, has the same bytes."""
    mine, base = {"python": "mine.py:build"}, {"backbone": BACKBONE, "layers": []}
    here, there = (read(Path(folder), mine=mine, base=base) for folder in ("/a", "/b/c"))
    named = [
        {name: without_folders(model.resolved()) for name, model in each.models.items()}
        for each in (here, there)
    ]
    assert named[0] == named[1]
    assert named[0]["mine"]["python"] == "mine.py:build"
    assert named[0]["base"]["backbone"]["study"] == "base"
    plain = read(Path("/a")).models["m"].resolved()
    assert without_folders(plain) == without_paths(plain) == plain
    renamed = read(Path("/a"), mine={"python": "ours.py:build"}).models["mine"].resolved()
    assert without_paths(renamed) == without_paths(here.models["mine"].resolved())
    assert without_folders(renamed) != named[0]["mine"]
