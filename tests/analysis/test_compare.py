"""Comparing against the statistics called directly on matrices that the test builds itself.

Oracle: NumPy on the saved npy files, `statistics` and `verdicts` (which have tests of their own),
SciPy's binomial test. Cost: 6 s. Run: pytest tests/analysis/test_compare.py
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bakeoff.analysis import estimates
from bakeoff.analysis.compare import compare
from bakeoff.analysis.metrics import macro_f1_scores
from bakeoff.errors import StudyError
from bakeoff.storage.history import HISTORY_COLUMNS
from bakeoff.storage.opened_study import read_opened
from bakeoff.storage.study_folder import StudyFolder
from tests.helpers.fake_study import DIGITS, FakeModel, correct_predictions, write_study, write_trio


@pytest.fixture
def study(tmp_path):
    return write_trio(tmp_path / "study")


# ── scores ───────────────────────────────────────────────────────────────────────────────────


def test_scores_are_those_of_the_saved_predictions(study):
    result = compare([study])
    assert [model.name for model in result.models] == ["twin", "big", "small"]
    big = result.model("big")
    correct = correct_predictions(study, "big", (0, 1, 2, 3))
    assert big.accuracy.per_seed == (0.950, 0.940, 0.945, 0.955)
    assert big.accuracy.estimate == estimates.estimate(correct)
    labels = result.labels
    probabilities = result.probabilities["big"]
    assert probabilities.shape == (4, 1000, 10) and probabilities.dtype == np.float32
    losses = -np.log(probabilities[:, np.arange(1000), labels].astype(np.float64))
    assert big.loss.per_seed == pytest.approx(losses.mean(axis=1))
    assert big.loss.estimate.low == pytest.approx(estimates.estimate_loss(losses).low)
    threes = big.per_class_accuracy[3]
    assert threes.per_seed == pytest.approx(correct[:, labels == 3].mean(axis=1))
    assert threes.estimate == estimates.estimate(correct[:, labels == 3])


def test_confusions_are_means_over_seeds_and_answers_counts_per_seed(study):
    big = compare([study]).model("big")
    assert big.confusion.sum(axis=1) == pytest.approx(100)
    assert np.trace(big.confusion) == pytest.approx(1000 * big.accuracy.mean)
    assert big.predicted.shape == (4, 10) and (big.predicted.sum(axis=1) == 1000).all()
    assert big.predicted.mean(axis=0) == pytest.approx(big.confusion.sum(axis=0))


def test_macro_scores_agree_with_scikit_learn(study):
    metrics = pytest.importorskip("sklearn.metrics")
    result = compare([study])
    labels, answers = result.labels, result.probabilities["small"].argmax(axis=2)
    f1 = [metrics.f1_score(labels, row, average="macro") for row in answers]
    balanced = [metrics.balanced_accuracy_score(labels, row) for row in answers]
    assert result.model("small").macro_f1.per_seed == pytest.approx(f1)
    small = result.model("small")
    assert small.balanced_accuracy.per_seed == pytest.approx(balanced)
    scores = np.stack([macro_f1_scores(labels, row, 10) for row in answers])
    assert small.macro_f1.estimate == estimates.estimate_macro_f1(scores, 100)
    assert small.balanced_accuracy.estimate == estimates.estimate_balanced(
        answers == labels, labels
    )


def test_macro_f1_has_no_interval_where_the_smallest_class_is_tiny(tmp_path):
    labels = np.concatenate([np.arange(900) % 9, np.full(9, 9)])
    model = compare([write_study(tmp_path / "s", labels=labels)]).models[0]
    assert not model.macro_f1.estimate.has_interval


def test_what_the_trials_say_of_themselves(study):
    small = compare([study]).model("small")
    assert (small.study, small.selection, small.seeds) == ("trio", "best-loss", (0, 1, 2))
    assert (small.parameters, small.epochs, small.diverged) == (1_000, 12, ())
    assert small.seconds_per_trial == 12.5 and small.prediction_seconds is None
    assert set(small.histories[0]) == set(HISTORY_COLUMNS)
    lowest = [int(history["val_cross_entropy"].argmin()) for history in small.histories]
    assert list(small.selected_epochs) == lowest
    assert small.settings["layers"][0]["dense"]["units"] == 16


def test_a_class_without_test_images_has_no_accuracy(tmp_path):
    study = write_study(tmp_path / "s", labels=np.arange(900) % 9)
    model = compare([study]).models[0]
    assert model.per_class_accuracy[9] is None
    assert model.per_class_accuracy[8] is not None
    assert compare([study]).to_json()["models"][0]["per_class_accuracy"][9] is None


def test_baselines_have_wilsons_interval_and_models_a_lead_over_them(study):
    result = compare([study])
    majority, logistic = result.baselines
    assert (majority.name, logistic.name) == ("majority", "logistic")
    assert (logistic.accuracy.low, logistic.accuracy.high) == estimates.wilson(600, 1000)
    lead = result.model("small").leads["logistic"]
    assert lead.difference == pytest.approx(0.905 - 0.6)
    labels = np.load(study.path / "openings/1/labels.npy")
    base = np.load(study.path / "openings/1/baselines/logistic.npy").argmax(axis=1) == labels
    shares = (correct_predictions(study, "small", (0, 1, 2)) - base.astype(float) + 1) / 2
    found = estimates.estimate(shares)
    assert (lead.low, lead.high) == pytest.approx((2 * found.low - 1, 2 * found.high - 1))


# ── pairs ────────────────────────────────────────────────────────────────────────────────────


def test_probability_a_better_counts_pairs_of_seeds_and_halves_ties(study):
    pair = compare([study]).pairs[0]
    # twin .950 .945 .948 .951 against big .950 .940 .945 .955: 2.5 + 1.5 + 2 + 3 of 16
    assert (pair.a, pair.b) == ("twin", "big")
    assert pair.probability_a_better == (2.5 + 1.5 + 2 + 3) / 16


# ── what may be missing ──────────────────────────────────────────────────────────────────────


def test_missing_trials_are_named(tmp_path):
    models = {"a": FakeModel(lost=(3,)), "b": FakeModel(unopened=(0, 4))}
    result = compare([write_study(tmp_path / "s", models)])
    assert result.missing == ("a seed 3", "b seed 0", "b seed 4")
    assert result.model("a").seeds == (0, 1, 2, 4)
    assert result.seeds == (0, 1, 2, 3, 4)
    assert result.to_json()["missing"] == ["a seed 3", "b seed 0", "b seed 4"]


def test_a_model_without_any_trial_is_missing_and_not_a_model(tmp_path):
    models = {"a": FakeModel(), "b": FakeModel(lost=(0, 1))}
    result = compare([write_study(tmp_path / "s", models, seeds=(0, 1))])
    assert [model.name for model in result.models] == ["a"]
    assert result.missing == ("b seed 0", "b seed 1")


def test_clocks_may_be_gone(tmp_path):
    study = write_study(tmp_path / "s", {"a": FakeModel(seconds=None)})
    assert compare([study]).models[0].seconds_per_trial is None


def test_a_study_without_validation(tmp_path):
    study = write_study(tmp_path / "s", n_validation=0, selection="last")
    result = compare([study])
    assert result.models[0].validation_accuracy == (None,) * 5
    assert result.models[0].selected_epochs == (11,) * 5
    assert result.findings == ()


def test_diverged_trials_with_predictions_that_are_not_finite_break_nothing(tmp_path):
    def broken(seed, probabilities):
        return probabilities * np.float32(np.nan) if seed == 0 else probabilities

    models = {"a": FakeModel(), "b": FakeModel(diverged={0: 0, 1: 3}, change=broken)}
    result = compare([write_study(tmp_path / "s", models)])
    b = result.model("b")
    assert b.diverged == (0, 1)
    assert b.diverged_epochs == (0, 3, None, None, None)
    assert b.selected_epochs[:2] == (None, 2)
    assert b.accuracy.per_seed[:2] == (0.0, 0.9)
    json.dumps(result.to_json(), allow_nan=False)


# ── several studies ──────────────────────────────────────────────────────────────────────────


def test_studies_of_one_test_set_are_compared_and_clashing_names_qualified(tmp_path):
    one = write_study(
        tmp_path / "one",
        {"cnn": FakeModel(0.95), "mlp": FakeModel(0.93, lost=(4,))},
        name="one",
        margin=0.01,
    )
    two = write_study(
        tmp_path / "two",
        {"cnn": FakeModel(0.96), "wide": FakeModel(0.94)},
        name="two",
        give_up=0.001,
        selection="last",
        seed=1,
    )
    result = compare([one, two])
    assert [model.name for model in result.models] == ["two/cnn", "one/cnn", "wide", "mlp"]
    assert [model.study for model in result.models] == ["two", "one", "two", "one"]
    assert (result.study, result.title) == ("one + two", None)
    assert (result.margin, result.give_up) == (0.002, 0.001)
    assert result.selection == "best-loss + last"
    assert result.missing == ("mlp seed 4",)
    assert result.test_openings == 2 and result.exploratory
    assert len(result.pairs) == 6
    assert result.folders == (one.path, two.path)
    assert set(result.probabilities) == {"two/cnn", "one/cnn", "wide", "mlp"}
    # the majority answers alike in both, logistic regression does not
    assert [b.name for b in result.baselines] == ["majority", "logistic", "two/logistic"]
    assert result.environment["keras"] == "3.15.1"


def test_studies_of_one_name_are_told_apart_by_their_folders(tmp_path):
    folders = [write_study(tmp_path / k, {"cnn": FakeModel()}) for k in ("one", "two")]
    result = compare(folders)
    assert {model.name for model in result.models} == {
        f"{tmp_path}/one/cnn",
        f"{tmp_path}/two/cnn",
    }


def test_studies_of_different_test_sets_are_refused(tmp_path):
    one = write_study(tmp_path / "one", n_test=1000)
    two = write_study(tmp_path / "two", n_test=2000, data="mnist")
    with pytest.raises(StudyError) as error:
        compare([one, two])
    assert str(error.value) == (
        f"expected studies that share one test set, found {one.path} (1,000 test images of digits) "
        f"and {two.path} (2,000 test images of mnist), which differ: compare studies of the same "
        "data, split.test and split.seed"
    )


def test_one_study_twice_is_refused(study, tmp_path):
    with pytest.raises(StudyError) as error:
        compare([study, StudyFolder(tmp_path / "study/../study")])
    assert str(error.value) == (
        f"{tmp_path}/study/../study: expected different studies, found this one twice: "
        "name each study once"
    )


def test_no_study_at_all():
    with pytest.raises(StudyError) as error:
        compare([])
    assert str(error.value) == "expected at least one study's folder, found none: name one"


# ── openings ─────────────────────────────────────────────────────────────────────────────────


def test_more_than_one_opening_is_exploratory_and_the_newest_counts(tmp_path):
    study = write_study(tmp_path / "s", openings=2)
    result = compare([study])
    assert (result.test_openings, result.exploratory) == (2, True)
    assert len(result.ledger) == 2
    assert read_opened(study).models["mlp"][0].predictions.parts[-3] == "2"


def test_a_lost_ledger_does_not_hide_an_opening(tmp_path):
    study = write_study(tmp_path / "s", openings=2)
    study.ledger_file.unlink()
    assert compare([study]).test_openings == 2


# ── the JSON document ────────────────────────────────────────────────────────────────────────


def test_class_names_and_order_come_from_the_data(tmp_path):
    names = ("<b>", *DIGITS[1:])
    result = compare([write_study(tmp_path / "s", class_names=names)])
    assert result.class_names == names


# ── light ────────────────────────────────────────────────────────────────────────────────────


def test_comparing_loads_no_machine_learning_library(study):
    code = (
        "import sys; from bakeoff.analysis.compare import compare; "
        "from bakeoff.storage.study_folder import StudyFolder; "
        f"compare([StudyFolder({str(study.path)!r})]); "
        "heavy = {'keras', 'jax', 'sklearn', 'vl_convert', 'pandas', 'PIL'}; "
        "print(sorted(heavy & set(sys.modules)), 'scipy.stats' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[] False\n"
