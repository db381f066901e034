"""Trials that two studies have.

Oracle: whole messages, of a finished study beside its copy and of ledgers that are made up.
Cost: under 1 s, and a study that others share.

Run: pytest tests/analysis/test_shared_trials.py
"""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from bakeoff.analysis.compare import compare
from bakeoff.analysis.shared_trials import require_none_shared
from bakeoff.errors import StudyError
from bakeoff.storage.study_folder import StudyFolder


def opened(path, **models):
    """Return an opened study: the seeds of each model, and weights that follow from both."""
    trials = [(name, seed) for name, seeds in models.items() for seed in seeds]
    weights = {f"{name}/seed-{seed}": f"{name} {seed}" for name, seed in trials}
    return SimpleNamespace(
        folder=SimpleNamespace(path=Path(path)),
        ledger=[{"weights": {**weights, "baselines/majority": "the same in all"}}],
        models={
            name: [SimpleNamespace(seed=seed) for seed in seeds] for name, seeds in models.items()
        },
    )


def refusal(*studies):
    with pytest.raises(StudyError) as refused:
        require_none_shared(studies)
    return str(refused.value)


def test_a_copy_beside_its_study_is_refused(tiny_study, tmp_path):
    """Its trials counted twice, and its pairs in Holm's method."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny_study, copy)
    with pytest.raises(StudyError) as refused:
        compare([StudyFolder(tiny_study), StudyFolder(copy)])
    assert str(refused.value) == (
        f"{copy}: expected trials that are in no other study here, found line (seeds 0, 1) and "
        f"mlp (seeds 0, 1) in {tiny_study} too, with the same weights, which would count "
        f"twice: leave out {copy}: {tiny_study} has all its trials"
    )


def test_trials_that_two_studies_trained_alike_are_named_and_no_copy_is_claimed():
    """One was said to be a copy of the other."""
    u, two = opened("u", a=[3, 5, 7, 11], b=[3, 7]), opened("two", a=[3, 7], const=[3, 7])
    assert refusal(opened("x", c=[3]), u, two) == (
        "two: expected trials that are in no other study here, found a (seeds 3, 7) in u too, with "
        "the same weights, which would count twice: write all models and seeds into one recipe, "
        "and run that"
    )


def test_a_study_whose_trials_another_has_is_to_be_left_out_and_a_third_may_stay():
    small, large = opened("small", a=[0]), opened("large", a=[0, 1], b=[0])
    for studies in ((small, large), (large, small), (opened("third", c=[0]), small, large)):
        text = refusal(*studies)
        assert "found a (seed 0) in " in text
        assert text.endswith("twice: leave out small: large has all its trials")


def test_other_weights_of_the_same_model_and_seed_and_those_of_0_1_0_are_let_through():
    one, other, old = opened("one", a=[0]), opened("other", a=[0]), opened("old", a=[0])
    other.ledger[0]["weights"]["a/seed-0"] = "trained for longer"
    old.ledger[0].pop("weights")
    require_none_shared([one, other, old])
