"""What may be said of the models of a comparison.

Oracle: the statistics and verdicts, which have tests of their own. Cost: 2 s.

Run: pytest tests/analysis/test_judge.py
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from bakeoff.analysis import recommendation, statistics, verdicts
from bakeoff.analysis.compare import compare
from bakeoff.analysis.judge import judged
from bakeoff.report.words.protocol_steps import protocol
from tests.helpers.fake_study import FakeModel, correct_predictions, write_study, write_trio


@pytest.fixture
def study(tmp_path):
    return write_trio(tmp_path / "study")


def test_verdicts_letters_and_advice_are_those_of_the_statistics(study):
    result = compare([study])
    correct = {
        "twin": correct_predictions(study, "twin", range(4)),
        "big": correct_predictions(study, "big", range(4)),
        "small": correct_predictions(study, "small", range(3)),
    }
    order = [("twin", "big"), ("twin", "small"), ("big", "small")]
    tests = {(a, b): statistics.compare_pair(correct[a], correct[b]) for a, b in order}
    told = verdicts.verdicts(tests, margin=0.002)
    assert [(p.a, p.b) for p in result.pairs] == order
    for pair, verdict in zip(result.pairs, told, strict=True):
        assert pair == replace(verdict, probability_a_better=pair.probability_a_better)
        assert pair.mcnemar is pair.files is pair.only_correct is None
    assert [pair.verdict for pair in result.pairs] == ["not separated", "better", "better"]
    assert {m.name: m.group for m in result.models} == {"twin": "a", "big": "a", "small": "b"}
    candidates = [
        recommendation.Candidate(m.name, m.parameters, m.accuracy.mean) for m in result.models
    ]
    assert result.recommended == recommendation.recommend(candidates, tests, give_up=0.005)


def test_one_seed_anywhere_compares_trained_files_and_says_nothing_of_models(tmp_path):
    models = {
        "a": FakeModel(0.95, seeds=(1, 2), parameters=5),
        "b": FakeModel(0.90, seeds=(2,), parameters=4),
        "c": FakeModel(0.85, seeds=(0, 3), parameters=3),
    }
    study = write_study(tmp_path / "s", models, seeds=(0, 1, 2, 3))
    result = compare([study])
    assert [model.group for model in result.models] == ["", "", ""]
    ab, ac, _ = result.pairs
    assert all(pair.verdict is pair.test is pair.p_holm is None for pair in result.pairs)
    assert ab.files == (2, 2)
    assert ac.files == (1, 0)  # no seed in common: the lowest of each
    a = correct_predictions(study, "a", (2,))[0]
    b = correct_predictions(study, "b", (2,))[0]
    assert ab.only_correct == ((a & ~b).sum(), (b & ~a).sum())
    assert ab.mcnemar == pytest.approx(binomtest(min(ab.only_correct), sum(ab.only_correct)).pvalue)
    assert ab.sentence == (
        f"these two trained files, a seed 2 and b seed 2: {ab.only_correct[0]} test images only "
        f"the first classifies correctly, {ab.only_correct[1]} only the second (exact McNemar "
        "p < 0.001); with one seed of a model nothing is said of the models"
    )
    assert result.recommended.model == "a"
    assert result.recommended.reason == (
        "a has the highest test accuracy, 95.00 %, but one seed of a model cannot tell a better "
        "model from a lucky run: train at least 3 of each (--seeds 3), better 5"
    )
    assert (result.headline.case, result.headline.model) == ("cannot say", None)
    assert result.headline.text == "Cannot say which model to use; a scored highest."
    assert result.to_json()["recommended"]["model"] is result.to_use is None
    assert "one-seed" in [finding.code for finding in result.findings]
    assert result.to_json()["comparisons"][0]["files"] == {
        "seeds": [2, 2],
        "only_right": list(ab.only_correct),
        "p": ab.mcnemar,
    }


def test_a_pair_of_enough_seeds_is_not_said_to_have_too_few(tmp_path):
    """It was: "5 seeds of a model cannot tell …: train at least 3 of each"."""
    models = {"a": FakeModel(0.95), "b": FakeModel(0.90), "few": FakeModel(0.93, seeds=(0, 1))}
    said = {(p.a, p.b): p.sentence for p in compare([write_study(tmp_path / "s", models)]).pairs}
    assert said["a", "b"].endswith(
        "; another model has fewer than 3 seeds, and then no pair has a verdict: train at least 3 "
        "of each (--seeds 3), better 5"
    )
    assert "; 2 seeds of a model cannot tell a better model from a lucky run:" in said["a", "few"]


def test_a_single_model_needs_no_pair(tmp_path):
    result = compare([write_study(tmp_path / "s", {"only": FakeModel()})])
    assert result.pairs == ()
    assert result.recommended.model == "only"
    assert result.models[0].group == "a"


def test_one_test_image_is_no_lack_of_seeds(tmp_path):
    models = {"a": FakeModel(0.95), "b": FakeModel(0.90)}
    result = compare([write_study(tmp_path / "s", models, n_test=1, baselines={})])
    assert result.pairs[0].sentence.endswith("; with one test image nothing is said of the models")
    assert result.recommended.reason.endswith(
        "but one test image cannot tell a better model from a lucky one: test on more images"
    )
    [said] = [step.text for step in protocol(result) if "McNemar" in step.text]
    assert "With one test image there are no verdicts about models" in said


def test_one_repeat_of_folds_is_more_than_one_file(tmp_path):
    models = {"a": FakeModel(0.95, seeds=(0,)), "b": FakeModel(0.90, seeds=(0,))}
    study = write_study(tmp_path / "s", models, seeds=(0,))
    correct = {name: correct_predictions(study, name, (0,)) for name in models}
    folds = {name: np.arange(1000)[None] % 5 for name in models}
    result = compare([study])
    found = judged(replace(result, data={**result.data, "folds": 5}), correct, folds)
    [pair] = found.pairs
    assert pair.sentence.startswith("the networks of these folds, a repeat 0 and b repeat 0: ")
    assert pair.sentence.endswith("; with one repeat of a model nothing is said of the models")
    assert ": 1 test image only the first" in replace(pair, only_correct=(1, 2)).sentence
    assert "but one repeat of a model cannot tell" in found.recommended.reason
    assert found.headline.reason.startswith("One repeat of a model cannot tell")


def test_too_few_repeats_are_called_so(tmp_path):
    models = {"a": FakeModel(0.95, seeds=(0, 1)), "b": FakeModel(0.90, seeds=(0, 1))}
    study = write_study(tmp_path / "s", models, seeds=(0, 1))
    correct = {name: correct_predictions(study, name, (0, 1)) for name in models}
    folds = {name: np.tile(np.arange(1000) % 5, (2, 1)) for name in models}
    result = compare([study])
    found = judged(replace(result, data={**result.data, "folds": 5}), correct, folds)
    few = "2 repeats of a model cannot tell a better model from a lucky run: train at least 3 of "
    said = (found.pairs[0].sentence, found.recommended.reason, found.headline.reason)
    assert all(few in each for each in said), said
