"""A study that is there already: what may be added to it, and what may not be changed.

Oracle: the protocol. Seeds and models may be added; what was trained stays as it was trained.
Cost: 15 s, most of it the workers' starts. Run: pytest tests/study/create/test_extend.py
"""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff import recipe
from bakeoff.errors import RecipeError, StudyError
from bakeoff.storage import formats, ledger, user_ledger
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study import create
from bakeoff.study.create import extend
from bakeoff.study.create.extend import extended
from bakeoff.study.run import run
from bakeoff.study.tuning.tune import tune
from bakeoff.utils.events import Watcher
from tests.helpers.jobs import Listener
from tests.helpers.small import BUILDER, MODELS, carry_out, declare, files, identical, write_npz

pytestmark = pytest.mark.usefixtures("module_home", "jobs_in_process")  # nothing here is looked at


@pytest.fixture(scope="module")
def finished(npz, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "small"
    carry_out(npz, out)
    return out


@pytest.fixture
def out(finished, tmp_path, monkeypatch):
    """A copy of a finished study, with a home of its own."""
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "home"))
    return shutil.copytree(finished, tmp_path / "small")


def notes(npz, out, **changes):
    """Return the notes of a run that trains nothing new."""
    listener = Listener()
    carry_out(npz, out, watcher=listener, **changes)
    return listener.of("note")


# ── what may be added ────────────────────────────────────────────────────────────────────────


def test_more_seeds_make_a_second_opening_that_is_exploratory(npz, finished, out):
    listener = Listener()
    result = carry_out(npz, out, watcher=listener, options={"seeds": 3})
    trained = ["linear seed 2", "mlp seed 2"]
    assert sorted(set(listener.of("epoch"))) == trained
    assert [sorted(event[2]) for event in listener.heard if event[0] == "begin"] == [
        trained,
        trained,  # nor is anything tested a second time
    ]
    assert result.comparison.test_openings == 2
    assert result.comparison.exploratory
    assert {model.seeds for model in result.comparison.models} == {(0, 1, 2)}
    for room in ("trials", "openings/1", "baselines"):
        before = files(finished, room)
        assert {name: files(out, room)[name] for name in before} == before
    first, second = files(out, "openings/1"), files(out, "openings/2")
    for name in ("mlp/seed-1.npy", "baselines/logistic.npy", "labels.npy"):
        assert first[f"openings/1/{name}"] == second[f"openings/2/{name}"]
    lines = StudyFolder(out).read_ledger()
    assert [line["opening"] for line in lines] == [1, 2]
    assert lines[1]["models"] == {"linear": [0, 1, 2], "mlp": [0, 1, 2]}
    assert lines[0]["recipe"] != lines[1]["recipe"]
    assert lines[1]["recipe"] == formats.sha256((out / "recipe.yaml").read_bytes())
    own = ledger.read_ledger(user_ledger.user_ledger(lines[0]["test"]))
    assert [line["opening"] for line in own] == [2]  # this home is a new one
    assert [path.name for path in StudyFolder(out).openings()] == ["1", "2"]
    again = carry_out(npz, out, options={"seeds": 3})
    assert again.comparison.test_openings == 2


def test_more_models_make_a_second_opening(npz, out):
    models = {**MODELS, "wide": {"layers": [{"dense": 9}]}}
    listener = Listener()
    result = carry_out(npz, out, watcher=listener, models=models)
    assert sorted(set(listener.of("epoch"))) == ["wide seed 0", "wide seed 1"]
    assert result.comparison.test_openings == 2
    assert result.comparison.exploratory
    assert {model.name for model in result.comparison.models} == {"linear", "mlp", "wide"}
    assert sorted(recipe.load(out / "recipe.yaml").models) == ["linear", "mlp", "wide"]


def test_a_model_that_is_taken_out_is_kept_aloud(npz, out):
    before = files(out, "trials", "openings")
    assert notes(npz, out, models={"linear": MODELS["linear"]}) == [
        "the study keeps mlp, trained earlier: a model is not dropped after it was seen; use "
        "--out for a study without it"
    ]
    assert files(out, "trials", "openings") == before
    assert sorted(recipe.load(out / "recipe.yaml").models) == ["linear", "mlp"]


def test_seeds_that_are_taken_out_are_kept_aloud(npz, out):
    before = files(out, "trials", "openings")
    assert notes(npz, out, seeds=1) == ["the study keeps seed 1, trained earlier"]
    assert files(out, "trials", "openings") == before
    assert recipe.load(out / "recipe.yaml").seeds == (0, 1)


def test_a_study_becomes_no_larger_than_can_be_read_back(npz, out):
    """A recipe of 1,001 seeds, or of 201 models, was written into it and never read again."""
    before = files(out)
    with pytest.raises(RecipeError, match=r"^--seeds: expected at most 1,000, found 1,001$"):
        carry_out(npz, out, options={"seeds": 1001})
    others = {f"m{number}": {"layers": []} for number in range(199)}
    with pytest.raises(RecipeError, match=r"^recipe small, models: expected 1 to 200 models"):
        carry_out(npz, out, models=others)
    assert files(out) == before


def test_baselines_may_be_taken_out_without_an_opening_and_added_with_one(npz, out):
    assert notes(npz, out, baselines=[]) == []
    assert len(StudyFolder(out).openings()) == 1
    shutil.rmtree(out / "baselines" / "logistic")
    shutil.rmtree(out / "openings")
    (out / "ledger.jsonl").unlink()
    carry_out(npz, out, baselines=["majority"])
    assert [path.name for path in StudyFolder(out).openings()] == ["2"]  # the user's ledger knows
    result = carry_out(npz, out, baselines=["majority", "logistic"])
    assert result.comparison.test_openings == 3


def test_a_margin_changed_after_the_opening_is_said(npz, out):
    """B14."""
    assert notes(npz, out, margin=0.1, give_up=0.2, prefer="time") == [
        "margin was 0.002 when the test set was opened and is 0.1 now: the verdicts follow the "
        "new one",
        "give_up was 0.005 when the test set was opened and is 0.2 now: the verdicts follow the "
        "new one",
        "prefer was parameters when the test set was opened and is time now: the verdicts follow "
        "the new one",
    ]
    assert json.loads((out / "comparison.json").read_text())["margin"] == 0.1
    assert notes(npz, out) == []  # as declared again: 0.1 was no rule when the set was opened


def test_a_model_without_a_finished_trial_may_change(npz, finished, tmp_path):
    """Also one that was begun: its checkpoints are of something else and are not used."""
    out = tmp_path / "small"
    first = {**MODELS, "mlp": {"layers": [{"dense": 7}]}}
    carry_out(npz, out, models=first, options={"only": ["linear"]})
    partial = StudyFolder(out).partial("mlp", 0)
    partial.mkdir(parents=True)
    (partial / "checkpoint-000003-0123456789abcdef.safetensors").write_bytes(b"of before")
    listener = Listener()
    carry_out(npz, out, watcher=listener)
    assert listener.of("note") == []
    assert identical(finished, out)


def test_a_builder_may_be_moved(npz, tmp_path):
    """What it says counts, not where it lies."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "mine.py").write_text(BUILDER)
    out = tmp_path / "study"
    builder = {"models": {"mine": {"python": f"{old}/mine.py:build"}}, "baselines": []}
    carry_out(npz, out, **builder)
    old.rename(new)
    listener = Listener()
    builder["models"]["mine"]["python"] = f"{new}/mine.py:build"
    result = carry_out(npz, out, watcher=listener, **builder, options={"seeds": 3})
    assert sorted(set(listener.of("epoch"))) == ["mine seed 2"]
    assert result.comparison.test_openings == 2


# ── what may not ─────────────────────────────────────────────────────────────────────────────

TRAINING = {"epochs": 4, "batch_size": 16, "optimizer": {"adam": 0.03}}
OTHER = {"layers": [{"dense": {"units": 7, "activation": "relu"}}, {"dropout": 0.25}]}
DEEPER = {"layers": [*MODELS["mlp"]["layers"], {"dense": 5}]}
CHANGES = [
    ({"training": {**TRAINING, "epochs": 5}}, "linear", "training.epochs 4", "5"),
    (
        {"training": {**TRAINING, "optimizer": {"adam": 0.02}}},
        "linear",
        "training.optimizer.adam.learning_rate 0.03",
        "0.02",
    ),
    ({"models": {**MODELS, "mlp": OTHER}}, "mlp", "layers[1].dense.units 6", "7"),
    ({"models": {**MODELS, "mlp": DEEPER}}, "mlp", "layers 2 entries", "3 entries"),
    (
        {"models": {**MODELS, "mlp": {**MODELS["mlp"], "output": {"use_bias": False}}}},
        "mlp",
        "output.use_bias True",
        "False",
    ),
    ({"selection": "last"}, "linear", "selection best-loss", "last"),
]


@pytest.mark.parametrize(("change", "model", "was", "now"), CHANGES)
def test_a_change_of_what_was_trained_is_refused(npz, finished, change, model, was, now):
    before = files(finished)
    rename = "" if was.startswith("selection") else "give the changed model another name, "
    text = (
        f"{finished}: expected {model} as it was trained, with {was}; found {now}: undo the "
        f"change, {rename}or give the changed recipe another place with --out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, finished, **change)
    assert files(finished) == before


@pytest.mark.parametrize("command", [run, tune])
def test_choices_in_what_was_trained_are_refused_before_they_are_searched(npz, finished, command):
    """The middle choice is what was trained: the search began, and left a study that is damaged."""
    before = files(finished)
    layers = [{"dense": {**MODELS["mlp"]["layers"][0]["dense"], "units": {"choice": [4, 6, 8]}}}]
    models = {**MODELS, "mlp": {"layers": [*layers, *MODELS["mlp"]["layers"][1:]]}}
    changed = declare(npz, models=models, search={"settings": 2, "sampler": "random"})
    text = (
        f"{finished}: expected mlp as it was trained, with all its settings declared; found "
        "choices that it leaves open: undo the change, give the changed model another name, or "
        "give the changed recipe another place with --out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        command(changed, out=finished, workers=1)
    assert files(finished) == before


@pytest.mark.parametrize(
    ("change", "key", "found"),
    [
        ({"name": "other"}, "name", "another study's name"),
        ({"split": {"seed": 1}}, "split", "another split"),
        ({"split": {"validation": {"first": 24}}}, "split", "another split"),
    ],
)
def test_another_name_or_split_is_refused(npz, finished, change, key, found):
    before = files(finished)
    text = (
        f"{finished}: expected the {key} this study was begun with, found {found}: give the "
        "changed recipe another name, or choose another place with --out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, finished, **change)
    assert files(finished) == before


@pytest.mark.parametrize("more", [0, 30])
def test_other_data_are_refused_and_called_so(finished, tmp_path, more):
    """Also where their number is another, and with it the split."""
    other = write_npz(tmp_path / "small.npz", poisoned=True, train=120 + more)
    text = (
        f"{finished}: expected the data this study was begun with, found other images: give the "
        "changed recipe another name, or choose another place with --out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(other, finished)


@pytest.mark.parametrize(("images", "found"), [(5, "as many, but others"), (1200, "1,200")])
def test_images_that_changed_where_they_lie_are_counted(finished, images, found, monkeypatch):
    old = {"name": "s", "split": "x", "data": {"hash": 1, "train": 2, "validation": 1, "test": 2}}
    study = SimpleNamespace(path=finished)
    recipe = SimpleNamespace(name="s", data="the same place")
    monkeypatch.setattr(extend, "recorded_recipe", lambda *_: recipe)
    data = SimpleNamespace(hash=2, labels=np.zeros(images))
    text = (
        f"{finished}: expected the 5 images this study was begun with, found {found}: some were "
        "added, removed, changed, renamed or relabelled since, or the version of Bakeoff that "
        "began it read them otherwise (CHANGELOG.md); bring them back, or begin a new study with "
        "--out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        extended(study, old, recipe, {}, data, SimpleNamespace(hash="x"), [])


CHANGED_MLP = {**MODELS, "mlp": {"layers": [{"dense": 3}]}}


@pytest.mark.parametrize(
    ("models", "found"), [(CHANGED_MLP, "changed"), ({"linear": MODELS["linear"]}, "dropped")]
)
def test_what_another_run_trains_is_neither_changed_nor_dropped(npz, tmp_path, models, found):
    """The test set was opened with it, and the study was then said to be damaged."""
    out, changed = tmp_path / "study", declare(npz, models=models)

    class Other(Watcher):
        said = ""

        def epoch(self, label, result):
            if label == "mlp seed 0" and not self.said:
                with pytest.raises(StudyError) as error:
                    create.prepare(changed, StudyFolder(out), device="cpu")
                self.said = str(error.value)

    watcher = Other()
    result = carry_out(npz, out, watcher=watcher)
    assert watcher.said == (
        f"{out}: expected mlp as the run declared it that trains it at this moment, found it "
        f"{found}: end that run first, or give the changed recipe another place with --out"
    )
    assert {model.name for model in result.comparison.models} == {"linear", "mlp"}


def test_a_run_does_not_train_what_another_has_changed_meanwhile(npz, tmp_path):
    """It trained on; the test set was opened with networks that the study did not declare."""
    out = tmp_path / "study"
    changed = declare(npz, models={**MODELS, "linear": {"layers": [{"dense": 3}]}})

    class Other(Listener):
        def started(self, label, where=None):
            super().started(label, where)
            if label == "mlp seed 1":
                create.prepare(changed, StudyFolder(out), device="cpu")

    text = (
        f"{out}: expected linear as it was declared when this run began, found that another run of "
        "a changed recipe has changed or dropped it: run again what is to count, and the other "
        "recipe with another --out"
    )
    watcher = Other()
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, out, watcher=watcher)
    assert watcher.of("finished") == ["mlp seed 0", "mlp seed 1"]
    assert not (out / "openings").exists()


def test_a_builder_that_was_changed_is_refused(npz, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(BUILDER)
    builder = {"models": {"mine": {"python": f"{file}:build"}}, "baselines": []}
    out = tmp_path / "study"
    carry_out(npz, out, **builder)
    file.write_text(BUILDER + "# a remark\n")
    text = (
        f"{out}: expected mine as it was trained, with the code that {file}:build had then; "
        "found other code there: undo the change, or give the changed recipe another place with "
        "--out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, out, **builder)


def test_code_runs_only_where_the_recipe_names_it(npz, tmp_path):
    """A study may come from somebody else, and its folder name a builder to be kept."""
    file = tmp_path / "mine.py"
    file.write_text(BUILDER)
    out = tmp_path / "study"
    carry_out(npz, out, models={"mine": {"python": f"{file}:build"}}, baselines=[])
    text = (
        f"{out}: expected the recipe to list mine, which is trained in this study already, found "
        "it missing: add it (a Python builder runs only where the recipe lists it), or choose "
        "another place with --out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, out, models={"linear": MODELS["linear"]}, baselines=[], seeds=3)


# ── hands in the folder ──────────────────────────────────────────────────────────────────────


def test_a_lost_ledger_line_is_written_again(npz, out):
    (out / "ledger.jsonl").unlink()
    carry_out(npz, out)
    [line] = StudyFolder(out).read_ledger()
    assert line["opening"] == 1


def test_openings_are_numbered_on_after_a_gap(npz, out):
    carry_out(npz, out, options={"seeds": 3})
    shutil.rmtree(out / "openings" / "1")
    result = carry_out(npz, out, options={"seeds": 4})
    assert [path.name for path in StudyFolder(out).openings()] == ["2", "3"]
    assert result.comparison.test_openings == 3
