"""Study: every key of a recipe and every option of a run is a keyword, and no other is.

Oracle: the recipe's keys; the signature of run. Cost: 0.1 s. Run: pytest tests/study/test_study.py
"""

import inspect
import re

import numpy as np
import pytest

import bakeoff
from bakeoff.errors import RecipeError, StudyError
from bakeoff.recipe.parsing.parse_recipe import KEYS
from bakeoff.study.run import run

MODELS = {"line": {"layers": []}}


def test_the_keywords_are_the_recipes_keys():
    assert set(inspect.signature(bakeoff.Study).parameters) - {"unknown"} == set(KEYS)


def test_the_options_of_run_are_those_of_the_function():
    mine = dict(inspect.signature(bakeoff.Study.run).parameters)
    del mine["self"]
    theirs = dict(inspect.signature(run).parameters)
    del theirs["recipe"], theirs["data"]  # what the study was declared with
    assert mine == theirs


def test_what_is_given_is_declared_and_the_rest_has_its_default():
    study = bakeoff.Study(
        "mine", data="digits", models=MODELS, seeds=range(3), margin=0.01, selection="last"
    )
    assert (study.recipe.seeds, study.recipe.margin) == ((0, 1, 2), 0.01)
    assert (study.recipe.selection, study.recipe.give_up) == ("last", 0.005)
    assert study.recipe.baselines == ("majority", "logistic")


def test_a_study_stays_where_it_is_whatever_folder_one_changes_to(
    tiny_study, tmp_path, monkeypatch
):
    """U5 and U6: a script or notebook may change folders after run(), or while it runs."""
    monkeypatch.chdir(tiny_study.parent)
    result = bakeoff.compare("tiny")
    told = []
    monkeypatch.setattr("bakeoff.study.study.carry_out", lambda recipe, **how: told.append(how))
    study = bakeoff.Study("mine", data="digits", models=MODELS)
    study.run()
    study.run(out="there")
    assert [how["out"] for how in told] == [tmp_path / "studies" / "mine", tmp_path / "there"]
    assert repr(result).endswith("Report: tiny/report.html")
    monkeypatch.chdir("/")
    (tiny_study / "report.html").unlink()
    result.write()
    assert (tiny_study / "report.html").is_file()


def test_arrays_that_were_changed_since_they_were_given_are_not_trained_on(tmp_path):
    """`x /= 255` after a run: the seeds added then had seen other pixels, under the old hash."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (30, 4, 4)).astype(np.float32), np.arange(30) % 3
    study = bakeoff.Study("mine", data=(x, y), models=MODELS)
    x /= 255
    text = (
        "data: expected the arrays that the study was declared with, found others: they were "
        "changed since; undo that, or declare the study again, under another name"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        study.run(out=tmp_path / "study")
    assert not (tmp_path / "study" / "study.json").exists()


def test_a_wrong_keyword_is_refused_by_name():
    for given, cure in (
        ({"sedes": 3}, "did you mean seeds?"),
        ({"epochs": 3}, "write it under training, as in training: {epochs: 20}"),
    ):
        text = f"recipe mine, {next(iter(given))}: unknown key; {cure}"
        with pytest.raises(RecipeError, match=f"^{re.escape(text)}$"):
            bakeoff.Study("mine", data="digits", models=MODELS, **given)
    study = bakeoff.Study("mine", data="digits", models=MODELS)
    with pytest.raises(TypeError, match="unexpected keyword argument 'worker'"):
        study.run(worker=3)


@pytest.mark.parametrize("option", ["out", "workers", "keep_sealed"])
def test_an_option_of_run_is_sent_there(option):
    """It was told of the command line's, or of the nearest key of a recipe."""
    message = rf"^recipe s, {option}: unknown key; it belongs to run: study\.run\({option}=…\)$"
    with pytest.raises(RecipeError, match=message):
        bakeoff.Study("s", data="digits", models={"a": {"layers": []}}, **{option: True})


def test_interrupted_it_says_in_one_line_how_to_go_on(monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bakeoff.study.study.carry_out", stopped)
    with pytest.raises(KeyboardInterrupt) as caught:
        bakeoff.Study("mine", data="digits", models=MODELS).run(out=tmp_path / "s")
    (line,) = caught.value._render_traceback_()  # which IPython shows instead of a traceback
    assert line == "interrupted; what is finished is kept, and running the same again goes on"


@pytest.mark.parametrize("place", ["data", "models", "split", "training"])
def test_what_holds_itself_is_refused(place):
    itself = {}
    itself["again"] = [itself]
    words = {"data": "digits", "models": MODELS, place: itself}
    with pytest.raises(RecipeError, match=r"^expected at most 20 levels of nesting, found more$"):
        bakeoff.Study("x", **words)


def test_keys_that_are_the_same_as_text():
    with pytest.raises(RecipeError) as caught:
        bakeoff.Study(
            "x", data="digits", models=MODELS, training={"class_weight": {3: 1, "3": 2, "a": 1}}
        )
    assert str(caught.value) == (
        "expected keys that differ as text, found one twice among 3, 3 and a"
    )
