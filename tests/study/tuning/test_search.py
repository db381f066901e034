"""Searches in real studies: what they leave, what is chosen, what goes on after a kill.

The oracle: files written, the settings of the journal, and a search that was never interrupted.
Cost: 15 s, five searches of small networks. Run:

    .venv/bin/pytest tests/study/tuning/test_search.py
"""

import io
import json
import re
import shutil

import numpy as np
import pytest
from rich.console import Console

from bakeoff.errors import DamagedFile, StudyError, TrialLost, UsageError
from bakeoff.recipe.dimension import middle, quicker
from bakeoff.recipe.search_space import dimensions
from bakeoff.recipe.types import Search
from bakeoff.recipe.vocabulary.backbones import LITE0
from bakeoff.report.words import about_search
from bakeoff.storage import atomic, formats, written_folder
from bakeoff.storage.ledger import read_ledger
from bakeoff.storage.search_folder import Opening, SearchFolder, Tried, best_first, with_chosen
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.compare import compare
from bakeoff.study.create import prepare
from bakeoff.study.executors.interface import Lost
from bakeoff.study.jobs.feature_jobs import FeatureJob
from bakeoff.study.run import run
from bakeoff.study.status import status
from bakeoff.study.tuning.samplers import propose
from bakeoff.study.tuning.search import search
from bakeoff.study.tuning.tune import to_json, tune
from bakeoff.study.verify import verify
from bakeoff.utils.events import Planned
from tests.helpers import small
from tests.helpers.jobs import Killed, Killer, Listener

pytestmark = pytest.mark.usefixtures("jobs_in_process")

MODELS = {
    "mlp": {
        "training": {"optimizer": {"adam": {"learning_rate": {"log": [0.0001, 0.1]}}}},
        "layers": [{"dense": {"units": {"choice": [2, 6]}}}],
    },
    "linear": {"layers": []},
}
SEARCH = {
    "models": MODELS,
    "search": {"settings": 4, "sampler": "random"},
    "seeds": 1,
    "baselines": [],
    "training": {"epochs": 2, "batch_size": 16},
}


@pytest.fixture(scope="module")
def searched(npz, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEOFF_HOME", str(folder / "home"))
        listener = Listener()
        result = small.carry_out(npz, folder / "study", watcher=listener, **SEARCH)
        again = small.carry_out(npz, folder / "study", watcher=Listener(), **SEARCH)
    return result, listener, again


def _dims(model=MODELS["mlp"]):
    return dimensions(model)


def _journal(folder):
    return (folder / "search" / "mlp" / "settings.jsonl").read_text().splitlines()


def test_the_best_setting_on_validation_is_trained_afresh_and_tested(searched):
    result, _, _ = searched
    search = SearchFolder(result.folder.path, "mlp")
    tried = search.tried(_dims())
    assert [each.number for each in tried] == [0, 1, 2, 3]
    assert {each.state for each in tried} == {"done"}
    best = best_first(tried)[0]
    assert best.accuracy == max(each.accuracy for each in tried)
    chosen = search.chosen()
    assert (chosen["setting"], chosen["values"]) == (best.number, best.values)
    settings = result.folder.read_trial("mlp", 0)["settings"]
    units = MODELS["mlp"]["layers"][0]["dense"]["units"]["choice"]
    assert settings["layers"][0]["dense"]["units"] == units[best.values["layers[1].dense.units"]]
    rate = best.values["training.optimizer.adam.learning_rate"]
    assert settings["training"]["optimizer"]["adam"]["learning_rate"] == rate
    assert result.comparison.model("mlp").settings == settings
    assert result.folder.finished() == {"linear": [0], "mlp": [0]}


def test_settings_are_trials_of_seeds_of_their_own_and_none_of_them_is_tested(searched):
    result, _, _ = searched
    search = SearchFolder(result.folder.path, "mlp")
    for number in range(4):
        place = search.trial(number)
        assert place.name == f"seed-{1_000_000_000 + number}"
        assert written_folder.check_folder(place) == []
        document = json.loads((place / "trial.json").read_bytes())
        assert (document["model"], document["epochs_trained"]) == (f"setting-{number}", 2)
        assert np.load(place / "validation.npy").shape == (24, 3)
    (opening,) = result.folder.openings()
    assert set(result.folder.read_opening(opening)["models"]) == {"linear", "mlp"}
    (line,) = result.folder.read_ledger()
    assert line["searches"]["mlp"] == {
        "settings": 4,
        "sampler": "random",
        "pruning": "none",
        "seed": 0,
        "tried": 4,
        "chosen": SearchFolder(result.folder.path, "mlp").chosen()["setting"],
    }


@pytest.mark.parametrize("opened", [True, False])
def test_a_chosen_setting_written_out_by_hand_keeps_the_record_of_its_search(
    opened, searched, npz, tmp_path
):
    """The table then said of no search, and the next opening's line in the ledger neither."""
    result, _, _ = searched
    out = shutil.copytree(result.folder.path, tmp_path / "study")
    if not opened:
        for name in ("trials", "openings"):
            shutil.rmtree(out / name)
        (out / "ledger.jsonl").unlink()
    values = SearchFolder(out, "mlp").chosen()["values"]
    units = MODELS["mlp"]["layers"][0]["dense"]["units"]["choice"]
    mlp = {
        "training": {"optimizer": {"adam": values["training.optimizer.adam.learning_rate"]}},
        "layers": [{"dense": units[values["layers[1].dense.units"]]}],
    }
    by_hand = {k: v for k, v in SEARCH.items() if k != "search"}
    by_hand["models"] = {**MODELS, "mlp": mlp}
    listener = Listener()
    again = small.carry_out(npz, out, watcher=listener, **by_hand)
    assert "the study keeps the search that chose the settings of mlp" in listener.of("note")
    assert again.to_json()["searches"] == result.to_json()["searches"]
    assert again.folder.read_ledger()[-1]["searches"]["mlp"]["tried"] == 4


def test_a_search_that_goes_on_is_no_budget_of_the_models_compared(searched, npz, tmp_path):
    """What had been tried so far of a model that was added stood there as its budget."""
    result, _, _ = searched
    out = shutil.copytree(result.folder.path, tmp_path / "study")
    models = {**MODELS, "late": MODELS["mlp"]}
    tune(small.declare(npz, **{**SEARCH, "models": models}), out=out, only=["late"], workers=1)
    late = SearchFolder(out, "late").path
    assert (late / "chosen").is_dir()
    shutil.rmtree(late / "chosen")
    comparison = compare([StudyFolder(out)]).comparison
    assert [each.model for each in comparison.searches] == ["mlp"]
    assert comparison.missing == ("late seed 0",)


def test_report_card_and_table_say_what_was_searched(searched):
    result, _, _ = searched
    page = result.folder.report_file.read_text()
    assert "What tuning found" in page and "mlp was chosen among 4 settings by validation" in page
    assert (
        "- Chosen among 4 settings by validation (random; " in result.folder.card_file.read_text()
    )
    assert "Choices that models left open were made on the validation images alone" in page
    console = Console(width=100, file=io.StringIO())
    console.print(result.table())
    assert "mlp: chosen among 4 settings by validation (random; " in console.file.getvalue()
    (said,) = result.to_json()["searches"]
    assert said["flatters"] == pytest.approx(
        said["chosen"]["accuracy"] - said["fresh_validation_accuracy"][0]
    )
    assert result.plot_settings("mlp").svg().count("<path") > 4
    with pytest.raises(UsageError) as refused:
        result.plot_importance()
    assert str(refused.value) == (
        "expected the importance of choices, found none: it takes 10 settings that were "
        "scored, and two choices outside the options of others"
    )


def test_running_again_searches_nothing_and_the_folder_is_whole(searched):
    result, listener, again = searched
    assert [event[1] for event in listener.heard if event[0] == "begin"] == [
        "tuning mlp",
        "training",
        "testing",
    ]
    assert len(_journal(result.folder.path)) == 8  # asked and told, four times
    assert again.comparison.test_openings == 1
    assert verify(result.folder).differences == () == verify(result.folder).notes
    recipe = read_recipe(result.folder, result.folder.read_study())
    assert recipe.models["mlp"].search.settings == 4
    assert "learning_rate:\n            log:" in result.folder.recipe_file.read_text()
    assert status(result.folder.path).finished == 2


def test_tune_shows_the_best_settings_and_what_was_chosen(searched, npz, capsys):
    result, _, _ = searched
    folder = result.folder.path
    (found,) = tune(small.declare(npz, **SEARCH), out=folder)
    assert found.best[0] == found.chosen and len(found.tried) == 4
    (said,) = to_json((found,))
    assert said["chosen"]["values"] == SearchFolder(folder, "mlp").chosen()["words"]
    assert said["budget"]["sampler"] == "random" and said["tuning_curve"] is None
    assert said["seconds"] > 0 and len(said["best"]) == 4
    json.dumps(said)
    console = Console(width=100, file=io.StringIO())
    console.print(about_search.table(found))
    printed = console.file.getvalue()
    assert re.match(r"mlp: 4 settings by validation \(random; .* of training\)\n", printed)
    assert re.search(r"(each|[123]) of the 3 other settings trained to", " ".join(printed.split()))


def test_a_search_that_was_killed_goes_on_with_the_same_settings(searched, npz, tmp_path):
    result, _, _ = searched
    only = {**SEARCH, "workers": 1, "options": {"only": ["mlp"]}}
    with pytest.raises(Killed):
        small.carry_out(npz, tmp_path / "study", watcher=Killer(jobs=2), **only)
    begun = SearchFolder(tmp_path / "study", "mlp")
    assert begun.chosen() is None
    assert any(each.state is None for each in begun.tried(_dims()))
    left = begun.path / f".settings.jsonl.{2**70}.tmp"  # of a process that is no more
    left.write_text("")
    small.carry_out(npz, tmp_path / "study", **{**only, "workers": 2})

    whole = SearchFolder(result.folder.path, "mlp")
    tried = [[each.values for each in search.tried(_dims())] for search in (begun, whole)]
    assert tried[0] == tried[1]
    assert begun.chosen() == whole.chosen() and not left.exists()
    for number in range(4):  # whatever the workers, and the kill
        assert small.files(begun.trial(number), "") == small.files(whole.trial(number), "")


class Place:
    """Stands for two workers: the setting that began last always ends first, as if it were small.

    Without `trains` every setting is lost.
    """

    size = 2

    def __init__(self, *, trains=True):
        self.did, self._trains = [], trains

    def run_jobs(self, jobs, more=None):
        waiting = list(jobs)
        while waiting:
            job = waiting.pop()
            self.did.append(job.label)
            if self._trains:
                job.run(lambda _: None)
            lost = None if self._trains else Lost(job.label, "lost")
            waiting += more(job.label, lost) if more is not None else []
        return []


def _searched(npz, folder, place, **changes):
    """Carry out a search alone."""
    recipe = small.declare(npz, **{**SEARCH, **changes})
    listener = Listener()
    search(prepare(recipe, StudyFolder(folder), device="cpu"), place, watcher=listener)
    return listener


def test_no_worker_waits_and_what_came_of_a_setting_is_written_down_at_once(npz, tmp_path):
    listener = _searched(npz, tmp_path, Place(), search={"settings": 5, "sampler": "tpe"})
    lines = [json.loads(line) for line in _journal(tmp_path)]
    assert [(line["setting"], line.get("state")) for line in lines] == [
        *((0, None), (1, None), (1, "done"), (2, None), (2, "done")),
        *((3, None), (3, "done"), (4, None), (4, "done"), (0, "done")),
    ]
    first, *_, chosen = listener.of("note")
    assert first.startswith("mlp setting 1 is best so far, ")
    assert chosen.startswith("mlp: chosen among 5 settings by validation: ")


def test_a_grid_announces_as_many_settings_as_it_has(npz, tmp_path):
    """It said 8 to do and ended at 6 of 8."""
    layers = [{"dense": {"units": {"whole": [2, 4]}}}]
    grid = {"settings": 8, "sampler": "grid"}
    listener = _searched(npz, tmp_path, Place(), models={"m": {"layers": layers}}, search=grid)
    begun = [("begin", "tuning m", [f"m setting {number}" for number in range(3)])]
    assert [event for event in listener.heard if event[0] == "begin"] == begun


def test_a_setting_announces_its_own_epochs_before_it_begins(npz, tmp_path, monkeypatch):
    heard = []
    monkeypatch.setattr(Listener, "planned", lambda self, job: heard.append(job))
    training = {"epochs": {"choice": [1, 2, 4]}}
    grid = {"settings": 3, "sampler": "grid"}
    models = {"m": {"layers": [], "training": training}}
    _searched(npz, tmp_path, Place(), models=models, search=grid)
    search = SearchFolder(tmp_path, "m")
    trained = [search.read_trial(number)["epochs_trained"] for number in range(3)]
    assert sorted(trained) == [1, 2, 4]
    assert {each.label: each.epochs for each in heard} == {
        f"m setting {number}": epochs for number, epochs in enumerate(trained)
    }


def test_settings_wait_for_features_that_are_computed_while_nothing_else_is_done(
    npz, tmp_path, monkeypatch
):
    grid, place = {"settings": 6, "sampler": "grid"}, Place(trains=False)

    def missing(prepared, models, scratch):
        wanted = {f"flipped_{len(model.image_changes)}_times.npy" for model in models}
        jobs = [FeatureJob(LITE0, name, 0, 1, 1.0) for name in sorted(wanted)]
        return [(Planned(job.label, 0, 1), job) for job in jobs if job.label not in place.did]

    monkeypatch.setattr("bakeoff.study.tuning.search.missing_features", missing)
    flips = {"name": LITE0, "augment": [{"random_flip": "horizontal"}], "passes": 2}
    layers = [{"dense": {"units": {"whole": [1, 3]}}}]
    models = {"head": {"layers": layers, "backbone": {"choice": [{"name": LITE0}, flips]}}}
    with pytest.raises(TrialLost, match=r"found none among 6 \(lost\): the same command tries"):
        _searched(npz, tmp_path, place, models=models, search=grid)
    journal = read_ledger(tmp_path / "search" / "head" / "settings.jsonl", "settings.jsonl")
    flipped = {line["setting"]: line["values"]["backbone"] for line in journal if "values" in line}
    assert sorted(flipped.values()) == [0, 0, 0, 1, 1, 1]
    assert len(place.did) == 6 + 2
    for number, times in flipped.items():
        computed = f"{LITE0}, flipped {times} times 1 to 1"
        assert place.did.index(computed) < place.did.index(f"head setting {number}")


def test_settings_that_were_lost_are_tried_once_more(npz, tmp_path):
    """A machine that was short of memory once ended the search for good: "change its choices"."""
    three = {"settings": 3, "sampler": "random"}
    with pytest.raises(TrialLost) as lost:
        _searched(npz, tmp_path, Place(trains=False), search=three)
    assert str(lost.value) == (
        "models.mlp: expected a setting that can be trained to the end, found none among 3 (lost): "
        "the same command tries once more what was lost"
    )
    before = [each.values for each in SearchFolder(tmp_path, "mlp").tried(_dims())]
    _searched(npz, tmp_path, Place(), search=three)
    after = SearchFolder(tmp_path, "mlp").tried(_dims())
    assert [each.values for each in after] == before
    assert [each.state for each in after] == ["done"] * 3


def test_tpe_begins_near_the_middle_and_a_search_of_before_goes_on_as_it_was(npz, tmp_path):
    tpe = {"settings": 3, "sampler": "tpe"}
    dims, lost = _dims(), "found none among 3"
    with pytest.raises(TrialLost, match=lost):
        _searched(npz, tmp_path / "new", Place(trains=False), search=tpe)
    new = SearchFolder(tmp_path / "new", "mlp")
    units = "layers[1].dense.units"
    first, second, third = (each.values for each in new.tried(dims))
    assert (first, second, third) == (middle(dims), quicker(dims), {**first, units: 1})

    shutil.copytree(tmp_path / "new", tmp_path / "old")
    old = SearchFolder(tmp_path / "old", "mlp")
    (old.path / "settings.jsonl").unlink()
    rules = ("first", "pruning_after")
    begun = {key: each for key, each in new.read().items() if key not in rules}
    atomic.write_file(old.path / "search.json", formats.sealed_json(begun))
    asked = {**first, units: 1}
    old.append(0, values=asked)
    with pytest.raises(TrialLost, match=lost):
        _searched(npz, tmp_path / "old", Place(trains=False), search=tpe)
    drawn = Search(space=MODELS["mlp"], sampler="random")
    others = [propose(drawn, old.tried(dims)[:number]) for number in (1, 2)]
    assert [each.values for each in old.tried(dims)] == [asked, *others]
    assert (new.opening(), old.opening()) == (Opening(3, every=3), Opening())
    assert (new.pruning_after(), old.pruning_after()) == (3, 5)


def test_another_search_in_the_same_place_is_refused(searched, npz):
    result, _, _ = searched
    changed = {**SEARCH, "search": {"settings": 9, "sampler": "random"}}
    with pytest.raises(StudyError) as refused:
        run(small.declare(npz, **changed), out=result.folder.path)
    place = result.folder.path / "search" / "mlp"
    assert str(refused.value) == (
        f"{place}: expected the settings that this search was begun with (4), found 9: undo the "
        "change, or give the changed recipe another place with --out"
    )


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("training", {"training": {"epochs": 7, "batch_size": 32}}),
        ("selection", {"selection": "last"}),
    ],
)
def test_a_search_of_other_training_is_refused(searched, npz, tmp_path, key, changed):
    """Settings of 6 epochs were ranked against settings of 12, without a word."""
    result, _, _ = searched
    shutil.copytree(result.folder.path / "search", tmp_path / "search")
    place = tmp_path / "search" / "mlp"
    with pytest.raises(StudyError, match=f"expected the {key} that this search was begun with"):
        with_chosen(small.declare(npz, **{**SEARCH, **changed}), tmp_path)
    known = SearchFolder(tmp_path, "mlp").read()
    known.pop("training")
    atomic.write_file(place / "search.json", formats.sealed_json(known))
    with_chosen(small.declare(npz, **SEARCH), tmp_path)  # as versions before began it


def test_a_search_of_a_builder_that_was_changed_is_refused(npz, tmp_path):
    """Settings of two networks were ranked together."""
    file = tmp_path / "mine.py"
    file.write_text(small.BUILDER)
    training = {"optimizer": {"adam": {"learning_rate": {"log": [0.0001, 0.1]}}}}
    mine = {**SEARCH, "models": {"mine": {"python": f"{file}:build", "training": training}}}
    with pytest.raises(Killed):
        small.carry_out(npz, tmp_path / "study", watcher=Killer(jobs=2), workers=1, **mine)
    file.write_text(small.BUILDER.replace("relu", "gelu"))
    with pytest.raises(StudyError, match="expected the Python builder that this search was begun"):
        small.carry_out(npz, tmp_path / "study", **mine)


def test_a_forged_choice_or_journal_is_refused(searched, npz, tmp_path):
    result, _, _ = searched
    shutil.copytree(result.folder.path / "search", tmp_path / "search")
    recipe, forged = small.declare(npz, **SEARCH), SearchFolder(tmp_path, "mlp")
    assert with_chosen(recipe, tmp_path).models["mlp"].search is not None
    lines = read_ledger(forged.path / "settings.jsonl", "settings.jsonl")
    (forged.path / "settings.jsonl").unlink()
    forged.append(0, values={**lines[0]["values"], "layers[1].dense.units": 7})
    with pytest.raises(
        DamagedFile, match=r"settings\.jsonl: expected the bytes that were recorded"
    ):
        forged.tried(_dims())
    chosen = forged.chosen()
    shutil.rmtree(forged.path / "chosen")
    best = Tried(chosen["setting"], {"layers[9].dense": 1})
    forged.choose(best, {key: chosen[key] for key in ("words", "accuracy", "tried")})
    with pytest.raises(DamagedFile, match=r"chosen\.json: expected the bytes that were recorded"):
        with_chosen(recipe, tmp_path)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("chosen", "/chosen/chosen.json: missing, though mlp was trained with the setting that "),
        ("search.json", "/search.json: missing, though mlp was trained with the setting that "),
        ("", "/search.json: missing, though mlp was trained with the setting that "),
        ("settings.jsonl", "/settings.jsonl: expected the 4 settings of which one was chosen, f"),
        ("trials/setting-2", "/trials/setting-2/seed-1000000002: missing, though the search's jo"),
    ],
)
def test_a_part_of_a_search_that_is_gone_is_named(searched, npz, tmp_path, gone, said):
    """By `verify`, and by whoever needs it: nothing else is blamed, and no table shows less."""
    place = _without(searched, tmp_path, gone)
    found = verify(StudyFolder(place)).differences
    assert any(each.startswith(f"{place}/search/mlp{said}") for each in found), found
    if gone.startswith("trials"):  # it said that all others can be told from the chosen one
        shown = compare([place]).comparison.searched("mlp")
        assert about_search.others(shown).startswith("Whether other settings do as well cannot be")
        assert shown.to_json()["not_told_from_chosen"] is None
    else:
        with pytest.raises(DamagedFile, match=re.escape(f"search/mlp{said}")):
            compare([place])
    if gone in ("chosen", "search.json", ""):
        for again in (lambda: status(place), lambda: small.carry_out(npz, place, **SEARCH)):
            with pytest.raises(DamagedFile, match=re.escape(f"search/mlp{said}")):
                again()


def test_settings_whose_trials_were_exchanged_are_named(searched, npz, tmp_path):
    """How many settings do as well was counted from the other one's predictions."""
    place = _without(searched, tmp_path, "trials/setting-2")
    trials = place / "search/mlp/trials"
    shutil.copytree(trials / "setting-1/seed-1000000001", trials / "setting-2/seed-1000000002")
    said = (
        f"{trials}/setting-2/seed-1000000002: expected setting 2 with seed 1000000002, found one "
        "with seed 1000000001: the folder was exchanged; restore it, or delete it and run the "
        "study again"
    )
    assert verify(StudyFolder(place)).differences == (said,)
    with pytest.raises(DamagedFile, match=re.escape(said)):
        compare([place])


def test_a_search_is_missed_where_what_it_chose_is_no_more_there_either(searched, npz, tmp_path):
    place = _without(searched, tmp_path, "")
    shutil.rmtree(place / "trials" / "mlp")
    found = verify(StudyFolder(place)).differences
    assert any("the ledger knows that mlp was searched for" in each for each in found), found
    with pytest.raises(DamagedFile, match="opened with what the search of mlp chose"):
        small.carry_out(npz, place, **SEARCH)


def _without(searched, tmp_path, gone):
    """Return a copy of the study of which a part of the search is gone; "": all of it."""
    place = tmp_path / "study"
    shutil.copytree(searched[0].folder.path, place)
    path = place / "search" / "mlp" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return place


def test_no_new_setting_is_begun_when_the_minutes_are_over(npz, tmp_path):
    search = {"settings": 9, "sampler": "random", "minutes": 0.0001}
    changes = {**SEARCH, "search": search, "options": {"only": ["mlp"]}, "workers": 1}
    small.carry_out(npz, tmp_path / "study", **changes)
    found = SearchFolder(tmp_path / "study", "mlp")
    assert [each.state for each in found.tried(_dims())] == ["done"]
    assert found.chosen()["tried"] == 1


def test_settings_that_lag_behind_the_median_are_stopped_early(npz, tmp_path):
    models = {"mlp": {**MODELS["mlp"], "layers": [{"dense": 6}]}}
    rate = {"choice": [0.05, 0.051, 0.052, 0.053, 0.054, 1e-7]}
    models["mlp"]["training"] = {"optimizer": {"adam": {"learning_rate": rate}}}
    search = {"settings": 12, "sampler": "random", "pruning": "median"}
    changes = {**SEARCH, "models": models, "search": search}
    changes["training"] = {"epochs": 5, "batch_size": 16}
    small.carry_out(npz, tmp_path / "study", options={"only": ["mlp"]}, **changes)
    tried = SearchFolder(tmp_path / "study", "mlp").tried(_dims(models["mlp"]))
    pruned = [each for each in tried if each.state == "pruned"]
    assert pruned and all(each.epochs < 5 for each in pruned)
    for each in pruned:
        assert each.accuracy < each.thresholds[each.epochs - 1]
        assert not each.usable
    assert all(each.thresholds == () for each in tried[:3])


def test_pruning_names_a_trial_that_is_gone(npz, tmp_path):
    """The advice was to delete its folder, which is what had been done."""
    changes = {**SEARCH, "search": {"settings": 6, "sampler": "random", "pruning": "median"}}
    changes |= {"options": {"only": ["mlp"]}, "workers": 1}
    with pytest.raises(Killed):
        small.carry_out(npz, tmp_path / "study", watcher=Killer(jobs=2), **changes)
    gone = SearchFolder(tmp_path / "study", "mlp").trial(0)
    shutil.rmtree(gone)
    said = f"{gone}: missing, though the search's journal names it: restore it from a copy, or"
    with pytest.raises(DamagedFile, match=re.escape(said)):
        small.carry_out(npz, tmp_path / "study", **changes)


def test_a_setting_that_makes_no_network_is_noted_and_not_chosen(npz, tmp_path):
    size = {"conv2d": {"filters": 2, "kernel_size": {"choice": [2, 9]}}}
    cnn = {"layers": [size]}
    changes = {**SEARCH, "models": {"cnn": cnn}}
    changes["search"] = {"settings": 2, "sampler": "grid"}
    small.carry_out(npz, tmp_path / "study", options={"only": ["cnn"]}, **changes)
    search = SearchFolder(tmp_path / "study", "cnn")
    by_size = {
        each.values["layers[1].conv2d.kernel_size"]: each for each in search.tried(_dims(cnn))
    }
    assert (by_size[0].state, by_size[1].state) == ("done", "impossible")
    assert "conv2d" in by_size[1].reason
    assert search.chosen()["words"] == {"kernel_size": "2"}
