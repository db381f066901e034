"""What a study lacks is given to whoever does jobs, the longest first.

Oracle: by hand. Cost: 1 s. Run: pytest tests/study/test_train_missing.py
"""

import pytest

from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create import prepare
from bakeoff.study.executors.interface import Lost
from bakeoff.study.train_missing import missing_trials, train
from bakeoff.utils.events import Watcher
from tests.helpers import small


@pytest.fixture
def prepared(npz, tmp_path):
    recipe = small.declare(npz, seeds=2, baselines=["majority"])
    return prepare(recipe, StudyFolder(tmp_path / "study"), device="cpu")


def given(prepared, only=(), **which):
    """Return the labels of the jobs that `train` gives, none of which is done."""
    labels = []

    def do(jobs):
        labels.extend(job.label for job in jobs)
        return [Lost(jobs[-1].label, "nobody did it")]

    lost = train(prepared, only, do, watcher=Watcher(), **which)
    assert [each.label for each in lost] == labels[-1:]
    return labels


def test_all_trials_of_a_new_study_are_missing(prepared):
    names = list(prepared.recipe.models)
    assert missing_trials(prepared) == [(name, seed) for name in names for seed in (0, 1)]
    assert missing_trials(prepared, [1]) == [(name, 1) for name in names]


def test_trials_and_baselines_are_given_the_longest_first(prepared):
    first, *_ = names = list(prepared.recipe.models)
    labels = given(prepared)
    assert {*labels} == {f"{n} seed {s}" for n in names for s in (0, 1)} | {"majority baseline"}
    assert labels[-1] == "majority baseline"
    assert given(prepared, [first], seeds=[1]) == [f"{first} seed 1"]
    assert given(prepared, [first], without=[(first, 0)]) == [f"{first} seed 1"]


def test_nothing_is_given_where_nothing_is_missing(prepared):
    first = next(iter(prepared.recipe.models))
    assert given(prepared, [first], without=[(first, 0), (first, 1)]) == []
