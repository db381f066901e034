"""Findings: each made by a synthetic study, with its whole sentence, and absent from another.

Oracle: sentences and numbers written out by hand from what the study was told to be.
Cost: 8 s. Run: pytest tests/analysis/test_checks.py
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bakeoff.analysis import metrics
from bakeoff.analysis.checks import (
    MODEL_CHECKS,
    STUDY_CHECKS,
    check,
    failed_runs,
    learning_curves,
    parts,
    predictions,
    searches,
    study_design,
)
from bakeoff.analysis.compare import compare
from bakeoff.analysis.verdicts import Look
from tests.helpers.fake_study import DIGITS, FakeModel, curve_rows, write_study

CODES = {**STUDY_CHECKS, **MODEL_CHECKS}
DOCS = Path(__file__).parents[2] / "docs" / "findings.md"


@pytest.fixture
def findings(tmp_path):
    """Write a study, compare it, and return its findings by (code, model)."""

    def find(models=None, **options):
        result = compare([write_study(tmp_path / "study", models, **options)])
        return {(finding.code, finding.model): finding for finding in result.findings}

    return find


def curves(epochs, **parts):
    return lambda seed: curve_rows(epochs, **parts)


# ── the user's own builders ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("remark", "severity", "code", "sentence"),
    [
        (
            "compiled",
            "warning",
            "compiled",
            "The builder of a compiles it with an optimizer and a loss, which were not used: it "
            "was trained as the recipe's training says.",
        ),
        (
            "scales-again",
            "serious",
            "scales-again",
            "a scales its pixels once more before its first weights: Bakeoff gives them in [0, 1], "
            "so it learned from almost black images.",
        ),
        (
            "pixels-lost",
            "serious",
            "pixels-lost",
            "The first weights of a get the same from a black, a white and a noisy image, so they "
            "cannot learn from pixels.",
        ),
        (
            "same-random-draws",
            "warning",
            "same-random-draws",
            "Some layers of a draw the same random numbers with every seed (dropout, noise, "
            "augmentation), so the seeds differ by less than chance would have it.",
        ),
        (
            "same-initial-weights",
            "serious",
            "same-initial-weights",
            "The seeds of a start with all its weights alike, so what they differ by is less than "
            "chance would have it: its intervals and verdicts rest on one draw of these weights.",
        ),
        (
            "some-same-initial-weights",
            "serious",
            "same-initial-weights",
            "The seeds of a start with some of its layers alike, so what they differ by is less "
            "than chance would have it: its intervals and verdicts rest on one draw of these "
            "weights.",
        ),
    ],
)
def test_remarks_on_builders_become_findings(tmp_path, remark, severity, code, sentence):
    result = compare([write_study(tmp_path / "s", {"a": FakeModel(), "b": FakeModel(0.91)})])
    remarked = replace(result.model("a"), remarks=(remark,))
    found = MODEL_CHECKS[code](remarked, result)
    assert (found.severity, found.model, found.text) == (severity, "a", sentence)
    assert MODEL_CHECKS[code](result.model("a"), result) is None


def test_a_builder_that_freezes_all_is_noticed(tmp_path):
    result = compare([write_study(tmp_path / "s", {"a": FakeModel(), "b": FakeModel(0.91)})])
    frozen = replace(result.model("a"), trainable_parameters=0)
    found = MODEL_CHECKS["nothing-trained"](frozen, result)
    assert (found.severity, found.model, found.text) == (
        "serious",
        "a",
        "The builder of a leaves no weight to be trained, so its scores are those of the weights "
        "that it began with.",
    )
    assert MODEL_CHECKS["nothing-trained"](result.model("a"), result) is None


# ── all together ─────────────────────────────────────────────────────────────────────────────


def test_a_healthy_study_has_no_findings(findings):
    assert findings() == {}


@pytest.mark.parametrize("epochs", [1, 2, 8, 20, 50, 100])
def test_healthy_curves_of_any_length_have_no_findings(findings, epochs):
    assert findings({"a": FakeModel(epochs=epochs), "b": FakeModel(0.92, epochs=epochs)}) == {}


def test_a_study_without_validation_part_has_no_findings_about_curves(findings):
    late = curves(20, cross_entropy=lambda k: 1.0 + k, validation=False)
    assert (
        findings({"a": FakeModel(epochs=20, history=late)}, n_validation=0, selection="last") == {}
    )


def test_findings_are_ordered_by_severity(tmp_path):
    models = {"a": FakeModel(0.93, confidence=0.99), "b": FakeModel(0.55), "c": FakeModel(0.92)}
    result = compare([write_study(tmp_path / "s", models, openings=2)])
    assert [(f.severity, f.code, f.model) for f in result.findings] == [
        ("serious", "worse-than-baseline", "b"),
        ("warning", "opened-again", None),
        ("warning", "under-fitting", "b"),
        ("info", "badly-calibrated", "a"),
    ]
    assert check(result) == result.findings


def test_every_code_is_documented_and_no_other():
    text = DOCS.read_text()
    headings = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted(f"`{code}`" for code in CODES)


def test_every_threshold_is_documented_with_its_value():
    rows = re.findall(r"^\| `(\w+)\.([A-Z_]+)` \| ([\d.]+) \|$", DOCS.read_text(), re.MULTILINE)
    checks = (failed_runs, learning_curves, predictions, study_design, parts, searches)
    modules = {module.__name__.rpartition(".")[2]: module for module in checks}
    assert [(m, n) for m, n, _ in rows] == [
        (place, name)
        for place, module in modules.items()
        for name in vars(module)
        if name.isupper() and not name.startswith("_")
    ]
    for module, name, value in rows:
        assert getattr(modules[module], name) == pytest.approx(float(value), rel=1e-3), name


def test_every_check_returns_its_own_code_and_one_line_sentences(findings):
    models = {
        "dead": FakeModel(0.1, history=curves(9, **FLAT), change=always(5)),
        "wild": FakeModel([0.5, 0.9, 0.8], diverged={1: 0}),
        "many": FakeModel(0.9, lost=(2,), confused={(3, 5): 0.5}),
    }
    found = findings(models, seeds=(0, 1, 2), openings=2)
    assert len(found) > 6
    for (code, _), finding in found.items():
        assert code in CODES
        for sentence in (finding.text, finding.advice):
            assert sentence.endswith(".") and "\n" not in sentence and "  " not in sentence
            assert "nan" not in sentence and "np." not in sentence


# ── runs that are no results ─────────────────────────────────────────────────────────────────

FLAT = {
    "loss": lambda k: 14.66 + 0.02 * (k % 2),
    "accuracy": lambda k: 0.09,
    "cross_entropy": lambda k: 14.68,
    "val_accuracy": lambda k: 0.09,
}


def always(label, *, but=0):
    """Predict `label` for all test images but the first few."""

    def change(seed, probabilities):
        result = np.zeros_like(probabilities)
        result[:, label] = 1
        result[:but] = probabilities[:but]
        return result

    return change


def test_a_dead_network_is_no_result(findings):
    # the document's course-1-slow: it answers 5 throughout, the loss 14.68 from first to last
    models = {"slow": FakeModel(0.1, epochs=30, history=curves(30, **FLAT), change=always(5))}
    found = findings(models, seeds=(0, 1))
    assert set(found) == {("dead-run", "slow"), ("worse-than-baseline", "slow")}
    finding = found["dead-run", "slow"]
    assert finding.severity == "serious"
    assert finding.text == (
        "slow is dead in both seeds: with seed 0 the training loss stays between 14.66 and 14.68 "
        "in the last 15 of 30 epochs, the training accuracy ends at 9.0 %, that of a constant "
        "prediction, and the network predicts 5 for all images: a failed run, not a result."
    )
    assert finding.advice == (
        "No result to compare: change the learning rate, the activation or the initialisation "
        "(relu units that are negative for every image, and saturated sigmoid units, pass no "
        "gradient on); a loss that falls a little in every epoch may only need more of them."
    )


def test_one_seed_of_several_may_be_dead(findings):
    def history(seed):
        return curve_rows(12, final_accuracy=0.93, **(FLAT if seed == 3 else {}))

    models = {"a": FakeModel([0.93, 0.93, 0.93, 0.1, 0.93], history=history)}
    found = findings(models)
    assert found["dead-run", "a"].text.startswith("a is dead in seed 3 of 5 seeds: with seed 3")
    assert "predicts" not in found["dead-run", "a"].text  # its fake predictions vary
    assert {code for code, _ in found} == {"dead-run", "unstable-seeds", "worse-than-baseline"}


def test_a_network_that_died_on_the_way_is_dead(findings):
    died = curves(
        20,
        loss=lambda k: 0.5 if k < 5 else 2.303,
        accuracy=lambda k: 0.8 if k < 5 else 0.105,
    )
    assert ("dead-run", "a") in findings({"a": FakeModel(history=died)})


@pytest.mark.parametrize(
    "parts",
    [
        {"loss": lambda k: 2.303 - 0.01 * k},  # slow, but it moves
        {"loss": lambda k: 0.001, "accuracy": lambda k: 1.0},  # it has learnt all there is
    ],
)
def test_slow_and_finished_networks_are_not_dead(findings, parts):
    parts = {"accuracy": lambda k: 0.1, **parts}
    found = findings({"a": FakeModel(history=curves(20, **parts))})
    assert ("dead-run", "a") not in found


def test_in_unbalanced_data_a_high_accuracy_can_be_dead(findings):
    counts = {"train": [3600, 400], "validation": [900, 100]}
    flat = {**FLAT, "accuracy": lambda k: 0.9}
    labels = (np.arange(1000) % 10 == 0).astype(int)
    found = findings(
        {"a": FakeModel(0.9, history=curves(10, **flat))},
        class_names=("common", "rare"),
        labels=labels,
        class_counts=counts,
    )
    assert ("dead-run", "a") in found


def test_a_diverged_run_is_told_with_its_epochs(findings):
    found = findings({"a": FakeModel(0.93, diverged={1: 4, 4: 2}), "b": FakeModel(0.93)})
    assert set(found) == {("diverged-run", "a"), ("unseen-failures", None)}
    assert found["diverged-run", "a"].text == (
        "a diverged in seeds 1 and 4 of 5 seeds, in epochs 2 to 4: the loss was no finite number "
        "any more, and the last finite weights were scored."
    )
    assert found["diverged-run", "a"].severity == "serious"


def test_a_constant_answer_of_a_living_network(findings):
    found = findings({"a": FakeModel(0.93, seeds=(0, 1), change=always(7, but=5))}, seeds=(0, 1))
    assert set(found) == {("constant-prediction", "a"), ("worse-than-baseline", "a")}
    assert found["constant-prediction", "a"].text == (
        "a predicts one class for at least 99 % of the 1,000 test images in both seeds: 7."
    )


def test_one_answer_is_no_accident_where_nearly_all_images_are_of_one_class(findings):
    labels = (np.arange(1000) % 50 == 0).astype(int)
    found = findings(
        {"a": FakeModel(0.98, change=always(0))}, class_names=("usual", "odd"), labels=labels
    )
    assert ("constant-prediction", "a") not in found


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ({1: 7}, "7 test images in seed 1 of 5 seeds"),
        ({1: 7, 3: 2}, "up to 7 test images in seeds 1 and 3 of 5 seeds"),
    ],
)
def test_probabilities_that_are_not_finite_are_no_answer(findings, images, said):
    def change(seed, probabilities):
        probabilities[: images.get(seed, 0), 3] = np.nan
        return probabilities

    found = findings({"a": FakeModel(0.93, change=change)})
    assert set(found) == {("no-answer", "a")}
    assert found["no-answer", "a"].text == (
        f"a has no prediction for {said}: the probabilities are not finite, and count as wrong."
    )


# ── level ────────────────────────────────────────────────────────────────────────────────────


def test_chance_level(findings):
    found = findings({"a": FakeModel(0.11), "b": FakeModel(0.5)}, baselines={})
    assert ("chance-level", "b") not in found
    finding = found["chance-level", "a"]
    assert finding.severity == "serious"
    assert finding.text == (
        "a is not shown to beat chance in all 5 seeds: 11.0 % of 1,000 test images correct, where "
        "its predictions dealt out at random would have 10.0 %."
    )


def test_few_images_that_do_not_show_a_model_above_chance_do_not_show_it_at_chance(findings):
    two = {"class_names": ("cat", "dog"), "n_test": 20, "baselines": {}}
    found = findings({"a": FakeModel(0.7), "b": FakeModel(0.7)}, **two)["chance-level", "a"]
    assert found.text.startswith("a is not shown to beat chance in all 5 seeds: 70.0 % of 20")
    assert found.advice.endswith("and whether there are enough test images to show it.")


def test_chance_level_is_told_of_the_seeds_that_are_at_it(findings):
    found = findings({"a": FakeModel([0.6, 0.1, 0.5, 0.4, 0.5])}, baselines={})
    assert found["chance-level", "a"].text.startswith(
        "a is not shown to beat chance in seed 1 of 5 seeds:"
    )


def test_nothing_more_is_said_of_a_model_with_more_failures_than_results(findings):
    def history(seed):
        return curve_rows(20, **({} if seed == 4 else FLAT))

    models = {"a": FakeModel([0.1, 0.1, 0.1, 0.1, 0.5], history=history, confidence=0.99)}
    codes = {code for code, _ in findings(models)}
    assert codes == {"dead-run", "worse-than-baseline"}


def test_chance_level_counts_how_often_a_class_is_answered(findings):
    # 90 % of the images are of one class, and 90 % right is what answering it mostly gives
    labels = (np.arange(1000) % 10 == 0).astype(int)

    def mostly(seed, probabilities):
        first = np.arange(1000) // 10 % 10 != seed  # nine in ten, whatever the image shows
        return np.where(first[:, None], [0.9, 0.1], [0.1, 0.9]).astype(np.float32)

    found = findings(
        {"a": FakeModel(change=mostly)}, class_names=("x", "y"), labels=labels, baselines={}
    )
    assert found["chance-level", "a"].text.endswith("dealt out at random would have 82.0 %.")


def test_worse_than_both_baselines(findings):
    found = findings({"a": FakeModel(0.55), "b": FakeModel(0.93)}, baselines={"logistic": 0.6})
    finding = found["worse-than-baseline", "a"]
    assert finding.severity == "serious"
    assert finding.text.startswith(
        "a is worse than the baseline logistic regression: 55.0 % against 60.0 % of 1,000 test "
        "images, a difference of −5.00 points (95 % interval "
    )
    assert finding.advice == (
        "Use logistic regression, or find out why a network of 10,000 parameters fails."
    )
    assert ("worse-than-baseline", "b") not in found


def test_both_ends_of_an_interval_of_a_difference_have_their_sign(findings):
    found = findings({"a": FakeModel(0.6)}, baselines={"logistic": 0.6})
    assert re.search(r"interval −\d.\d\d to \+\d", found["worse-than-baseline", "a"].text)


def test_not_shown_to_be_better_than_a_baseline(findings):
    found = findings({"a": FakeModel(0.602)}, baselines={"logistic": 0.6, "majority": 0.1})
    finding = found["worse-than-baseline", "a"]
    assert finding.severity == "warning"
    assert (
        "a is not shown to be better than the baseline logistic regression: 60.2 % against"
        in finding.text
    )
    assert finding.advice == (
        "Use logistic regression, unless more test images or seeds show that the network earns its "
        "10,000 parameters."
    )


def test_several_baselines_are_named(findings):
    found = findings({"a": FakeModel(0.08)})
    assert found["worse-than-baseline", "a"].text.endswith(
        "; nor is it shown to beat majority class."
    )


def test_unstable_over_seeds(findings):
    models = {
        "a": FakeModel([0.93, 0.94, 0.85, 0.92, 0.95]),
        "b": FakeModel([0.93, 0.932, 0.928, 0.931, 0.93]),
    }
    found = findings(models)
    assert ("unstable-seeds", "b") not in found
    finding = found["unstable-seeds", "a"]
    assert finding.severity == "warning"
    assert finding.text.startswith(
        "a varies from seed to seed: accuracy is 85.0 % with seed 2 and 95.0 % with seed 4; over 5 "
        "seeds its standard deviation is 3."
    )


def test_few_test_images_spread_accuracies_without_instability(findings):
    accuracies = [0.80, 0.90, 0.87, 0.83, 0.85]  # of 60 images: what equal seeds do
    assert ("unstable-seeds", "a") not in findings({"a": FakeModel(accuracies)}, n_test=60)


@pytest.mark.parametrize(
    ("selection", "advice"),
    [
        ("best-accuracy", "select by loss instead of accuracy, or "),
        ("last", "select epochs by loss, train fewer of them, or "),
    ],
)
def test_what_helps_against_too_much_confidence(findings, selection, advice):
    found = findings({"over": FakeModel(0.91, confidence=0.99)}, selection=selection)
    assert f"as they are: {advice}rescale them" in found["badly-calibrated", "over"].advice


def test_badly_calibrated_over_and_under_confident(findings):
    models = {
        "over": FakeModel(0.91, confidence=0.99),
        "under": FakeModel(0.93, confidence=0.6),
        "fine": FakeModel(0.92, confidence=0.93),
    }
    found = findings(models)
    assert {key for key in found if key[0] == "badly-calibrated"} == {
        ("badly-calibrated", "over"),
        ("badly-calibrated", "under"),
    }
    assert found["badly-calibrated", "over"].severity == "info"
    assert found["badly-calibrated", "over"].text == (
        "over is overconfident: it gives its predictions a probability of 99.0 % on average, and "
        "91.0 % of them are correct (expected calibration error 8.0 points, mean of 5 seeds, 1,000 "
        "test images)."
    )
    sure = "Do not act on such probabilities as they are: "
    rescale = "rescale them on validation data (temperature scaling)."
    assert found["badly-calibrated", "over"].advice == f"{sure}{rescale}"  # it selects by loss
    assert found["badly-calibrated", "under"].severity == "warning"
    assert "under is underconfident" in found["badly-calibrated", "under"].text
    assert found["badly-calibrated", "under"].advice == (
        "Do not act on such probabilities as they are: train longer, with less dropout or "
        "regularization, or rescale them on validation data (temperature scaling)."
    )


def test_calibration_errors_that_cancel_are_neither_over_nor_under(tmp_path):
    result = compare([write_study(tmp_path / "s", {"a": FakeModel(0.5)})])
    n, labels = 400, np.zeros(400, np.intp)
    sure = np.repeat([0.95, 0.55], n // 2)  # of the first half 75 % are correct, of the second also
    wrong = np.arange(n) % 4 == 0
    curve = metrics.calibration(np.stack([sure, 1 - sure], axis=1), np.where(wrong, 1, labels))
    model = result.model("a")
    model = replace(model, calibration=(curve,) * len(model.seeds))
    found = predictions.badly_calibrated(model, result)
    assert found.text.startswith(
        "a is overconfident in some predictions and underconfident in others: it gives its "
        "predictions a probability of 75.0 % on average, and 75.0 % of them are correct (expected "
        "calibration error 20.0 points, "
    )
    assert found.advice == (
        "Do not act on such probabilities as they are: the calibration curve shows where they are "
        "too high and where too low."
    )


@pytest.mark.parametrize("n_validation", [1000, 0])
def test_what_is_not_validated_cannot_be_rescaled_on_such_images(findings, n_validation):
    study = {"a": FakeModel(0.91, confidence=0.99)}
    found = findings(study, selection="last", n_validation=n_validation)
    advice = found["badly-calibrated", "a"].advice
    assert not n_validation or advice == (
        "Do not act on such probabilities as they are: select epochs by loss, train fewer of "
        "them, or rescale them on validation data (temperature scaling)."
    )
    assert n_validation or advice == (
        "Do not act on such probabilities as they are: train fewer epochs, or keep images for "
        "validation (split.validation) and rescale the probabilities on validation data "
        "(temperature scaling)."
    )


def test_few_test_images_cannot_show_bad_calibration(findings):
    found = findings({"a": FakeModel(0.8, confidence=0.86)}, n_test=30)
    assert ("badly-calibrated", "a") not in found


def test_confused_classes_are_named(findings):
    names = ("T-shirt", *DIGITS[1:6], "Shirt", *DIGITS[7:])
    models = {
        "a": FakeModel(0.90, confused={(6, 0): 0.25, (0, 6): 0.05}),
        "b": FakeModel(0.91),
    }
    found = findings(models, class_names=names)
    assert ("confused-classes", "b") not in found
    finding = found["confused-classes", "a"]
    assert finding.text.startswith("a confuses above all T-shirt and Shirt, ") or (
        finding.text.startswith("a confuses above all Shirt and T-shirt, ")
    )
    assert finding.text.endswith("(of 100 errors on 1,000 test images, mean of 5 seeds).")
    assert finding.severity == "info"


def test_confused_classes_have_their_direction_and_counts(tmp_path):
    names = ("T-shirt", *DIGITS[1:6], "Shirt", *DIGITS[7:])
    result = compare([write_study(tmp_path / "s", {"a": FakeModel()}, class_names=names)])
    matrix = np.full((10, 10), 70 / 88)
    np.fill_diagonal(matrix, 90)
    matrix[6, 0], matrix[0, 6] = 25, 5
    found = predictions.confused_classes(replace(result.model("a"), confusion=matrix), result)
    assert found.text == (
        "a confuses above all Shirt and T-shirt, 30 % of all errors (25 times Shirt taken for "
        "T-shirt, 5 times the reverse) (of 100 errors on 1,000 test images, mean of 5 seeds)."
    )
    matrix[0, 6] = 1
    once = predictions.confused_classes(replace(result.model("a"), confusion=matrix), result)
    assert "(25 times Shirt taken for T-shirt, 1 time the reverse)" in once.text


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (FakeModel(0.98, confused={(3, 5): 0.9}), DIGITS),  # 20 errors
        (FakeModel(0.8), ("x", "y")),
    ],
)
def test_two_classes_and_few_errors_have_no_confusions(findings, model, names):
    assert ("confused-classes", "a") not in findings({"a": model}, class_names=names)


def test_weak_classes_are_named(findings):
    def change(seed, probabilities):  # the first sixty images of class 4 become 9
        here = np.arange(4, 600, 10)
        probabilities[here] = 0.01
        probabilities[here, 9] = 0.91
        return probabilities

    found = findings({"a": FakeModel(0.93, change=change), "b": FakeModel(0.93)})
    assert ("weak-classes", "b") not in found
    text = found["weak-classes", "a"].text
    assert text.startswith("a is weak on 4 (3")
    assert text.endswith("correct (mean of 5 seeds).")


# ── learning curves ──────────────────────────────────────────────────────────────────────────


def valley(lowest, rise):
    """Cross-entropy that falls to 0.2 and rises by `rise` an epoch from there on."""
    return lambda k: 0.2 + (0.1 * (lowest - k) if k < lowest else rise * (k - lowest))


def test_over_fitting_is_told_with_its_epoch(findings):
    history = curves(
        20,
        loss=lambda k: 1.0 * 0.8**k,
        cross_entropy=valley(6, 0.01),
        val_accuracy=lambda k: 0.9,
    )
    found = findings({"a": FakeModel(0.93, epochs=20, history=history)})
    finding = found["over-fitting", "a"]
    assert finding.severity == "info"
    assert finding.text == (
        "a over-fits after epoch 6: from there to the last 4 epochs of 20 the validation "
        "cross-entropy rises by 58 % from 0.2, while the training loss falls from 0.262 to 0.0144 "
        "and the validation accuracy goes from 90.0 % to 90.0 % (mean of 5 seeds)."
    )
    assert finding.advice == (
        "7 epochs would do; dropout, regularization or more images may do better."
    )


def test_over_fitting_from_the_first_epoch_on_needs_one_epoch(findings):
    history = curves(20, loss=lambda k: 0.8**k, cross_entropy=valley(0, 0.01))
    first = findings({"a": FakeModel(0.93, epochs=20, history=history)})["over-fitting", "a"]
    assert first.advice.startswith("1 epoch would do;")


def test_over_fitting_is_worse_where_the_last_epoch_is_scored(findings):
    history = curves(
        20,
        loss=lambda k: 1.0 * 0.8**k,
        cross_entropy=valley(6, 0.01),
        val_accuracy=lambda k: 0.85 + 0.005 * k,
    )
    found = findings({"a": FakeModel(0.93, history=history)}, selection="last")
    finding = found["over-fitting", "a"]
    assert finding.severity == "warning"
    assert finding.text.endswith("(mean of 5 seeds), and the scored weights come from there.")
    assert finding.advice == (
        "Select the epoch on validation data (selection: best-loss); 7 epochs would do; dropout, "
        "regularization or more images may do better; where only the predicted classes count and "
        "not their probabilities, keep all epochs (selection: best-accuracy), since accuracy still "
        "rises."
    )


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"cross_entropy": valley(6, 0.0005)}, "a rise of 3 % is noise"),
        ({"cross_entropy": valley(6, 0.01), "loss": lambda k: 0.3}, "nothing more is learnt"),
        ({"cross_entropy": valley(19, 0.01)}, "the lowest is the last"),
    ],
)
def test_what_is_not_over_fitting(findings, parts, why):
    parts = {"loss": lambda k: 1.0 * 0.8**k, **parts}
    found = findings({"a": FakeModel(0.93, history=curves(20, **parts))})
    assert ("over-fitting", "a") not in found, why


def test_seeds_that_disagree_do_not_over_fit(findings):
    def history(seed):
        rise = {0: 0.05, 1: 0.0, 2: 0.0, 3: 0.0, 4: 0.0}[seed]
        return curve_rows(20, loss=lambda k: 0.8**k, cross_entropy=valley(6, rise))

    assert ("over-fitting", "a") not in findings({"a": FakeModel(0.93, history=history)})


def test_under_fitting_needs_something_better_on_unseen_images(findings):
    poor = curves(12, accuracy=lambda k: 0.80, val_accuracy=lambda k: 0.80)
    models = {"poor": FakeModel(0.8, history=poor), "good": FakeModel(0.93)}
    found = findings(models)
    finding = found["under-fitting", "poor"]
    assert finding.severity == "warning"
    assert finding.text == (
        "poor under-fits: it has 80.0 % of its training images correct and 80.0 % of the "
        "validation images (mean of 5 seeds), where good has 93.0 % of unseen images correct."
    )
    assert ("under-fitting", "good") not in found


def test_a_model_at_chance_does_not_under_fit(findings):
    """It learned nothing: more units or epochs are not the cure."""
    lost = curves(12, accuracy=lambda k: 0.11, val_accuracy=lambda k: 0.11)
    found = findings({"lost": FakeModel(0.11, history=lost), "good": FakeModel(0.93)})
    assert ("chance-level", "lost") in found
    assert ("under-fitting", "lost") not in found


def test_under_fitting_against_logistic_regression(findings):
    poor = curves(12, accuracy=lambda k: 0.80, val_accuracy=lambda k: 0.80)
    found = findings({"poor": FakeModel(0.8, history=poor)}, baselines={"logistic": 0.9})
    assert (
        "where the baseline logistic regression has 90.0 % of"
        in found["under-fitting", "poor"].text
    )


@pytest.mark.parametrize(
    "history",
    [
        curves(12, accuracy=lambda k: 0.95, val_accuracy=lambda k: 0.80),  # that is over-fitting
        curves(12, accuracy=lambda k: 0.915, val_accuracy=lambda k: 0.92),  # nearly as good
        curves(12, accuracy=lambda k: 0.90, val_accuracy=lambda k: 0.87),  # a bit of both
    ],
)
def test_what_is_not_under_fitting(findings, history):
    models = {"a": FakeModel(0.91, history=history), "good": FakeModel(0.93)}
    assert ("under-fitting", "a") not in findings(models)


def test_still_improving(findings):
    history = curves(20, cross_entropy=lambda k: 1.0 * 0.95**k)
    finding = findings({"a": FakeModel(0.93, epochs=20, history=history)})["still-improving", "a"]
    assert finding.severity == "warning"
    assert finding.text == (
        "a was still improving when training ended after 20 epochs: in the last 4 epochs the "
        "validation cross-entropy was 18.5 % lower than in the 4 before, and ended at 0.377 (mean "
        "of 5 seeds)."
    )
    assert finding.advice == (
        "Train longer, for instance 40 epochs: selected on validation data, more epochs cost "
        "nothing but time."
    )


def test_still_improving_where_the_last_epoch_is_taken(findings):
    """There more epochs may cost accuracy, too: nothing is selected."""
    history = curves(20, cross_entropy=lambda k: 1.0 * 0.95**k)
    models = {"a": FakeModel(0.93, epochs=20, history=history)}
    assert findings(models, selection="last")["still-improving", "a"].advice == (
        "Train longer, for instance 40 epochs: with the epoch selected on validation data "
        "(selection: best-loss), more epochs cost nothing but time."
    )


@pytest.mark.parametrize(
    "entropy",
    [
        lambda seed, k: 1 - (0.04 * k if seed == 0 else 0),  # one seed of five
        lambda seed, k: 0.1 if k == 3 else 0.95**k,  # the lowest was long ago
    ],
)
def test_what_is_not_still_improving(findings, entropy):
    def history(seed):
        return curve_rows(20, cross_entropy=lambda k: entropy(seed, k))

    found = findings({"a": FakeModel(0.93, epochs=20, history=history)})
    assert ("still-improving", "a") not in found


def test_a_short_training_compares_its_last_two_epochs(findings):
    history = curves(5, cross_entropy=lambda k: 1.0 * 0.9**k)
    finding = findings({"a": FakeModel(0.93, epochs=5, history=history)})["still-improving", "a"]
    assert "in the last epoch the validation cross-entropy was 10.0 % lower than in the one b" in (
        finding.text
    )


def test_stopped_improving_saves_epochs_and_seconds(findings):
    history = curves(40, cross_entropy=lambda k: 0.2 + max(0.0, 0.1 * (9 - k)))
    models = {"a": FakeModel(0.93, epochs=40, history=history, seconds=80.0)}
    finding = findings(models)["stopped-improving", "a"]
    assert finding.severity == "info"
    assert finding.text == (
        "a had stopped improving by epoch 9: the 30 epochs after it, 75 % of the training, about "
        "60 s a trial, brought less than 1 % of validation cross-entropy (mean of 5 seeds)."
    )
    assert finding.advice == "About 11 epochs would do."


def test_what_counts_as_improving_is_what_selection_looks_at(findings):
    history = curves(
        40,
        cross_entropy=lambda k: 0.2 + max(0.0, 0.1 * (9 - k)),
        val_accuracy=lambda k: 0.80 + 0.003 * k,
    )
    models = {"a": FakeModel(0.93, epochs=40, history=history)}
    assert ("stopped-improving", "a") in findings(models)


@pytest.mark.parametrize("selection", ["last", "best-accuracy"])
def test_rising_accuracy_counts_for_other_selections(findings, selection):
    history = curves(
        40,
        cross_entropy=lambda k: 0.2 + max(0.0, 0.1 * (9 - k)),
        val_accuracy=lambda k: 0.80 + 0.003 * k,
    )
    models = {"a": FakeModel(0.93, epochs=40, history=history)}
    assert ("stopped-improving", "a") not in findings(models, selection=selection)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (11, "in 5 of 5 seeds: the last one, 11, of 12 counted from 0."),
        (0, "in 5 of 5 seeds: the first one, 0, of 12 counted from 0."),
        (5, None),
    ],
)
def test_selection_at_the_edge(findings, chosen, text):
    found = findings({"a": FakeModel(0.93, selected_epoch=chosen)})
    whole = f"a has its selected epoch at the edge {text}" if text else None
    assert (found["selected-at-edge", "a"].text if text else None) == whole
    assert bool(found) == bool(text)


def test_selecting_the_last_epoch_is_no_finding_where_the_recipe_says_so(findings):
    assert findings(selection="last") == {}


# ── the study ────────────────────────────────────────────────────────────────────────────────


def test_missing_trials(findings):
    found = findings({"a": FakeModel(0.93, lost=(1, 2)), "b": FakeModel(0.93, lost=(0, 4))})
    finding = found["missing-trials", None]
    assert finding.severity == "serious"
    assert finding.text == (
        "4 declared trials not in this comparison: a seed 1, a seed 2, b seed 0 and 1 more."
    )


def test_one_seed(findings):
    found = findings({"a": FakeModel(0.93), "b": FakeModel(0.93, seeds=(0,))}, seeds=(0, 1))
    assert found["one-seed", None].text == (
        "b has one seed only, so nothing is said about models, only about these trained files."
    )
    assert found["one-seed", None].severity == "serious"


def test_few_seeds(findings):
    two = findings({"a": FakeModel(0.93), "b": FakeModel(0.95)}, seeds=(0, 1))["few-seeds", None]
    assert two.severity == "serious"
    assert two.text == (
        "There is no verdict below 3 seeds of each model, and a model has 2: that few cannot tell "
        "a better model from a lucky run."
    )


def test_few_seeds_of_many_models(findings):
    six = {f"m{k}": FakeModel(0.93 - 0.03 * k) for k in range(6)}
    many = findings(six, seeds=(0, 1, 2))["few-seeds", None]
    assert (many.severity, many.advice) == (
        "warning",
        "Train at least 5 seeds of every model (--seeds 5), which opens the test set again and "
        "makes the verdicts exploratory.",
    )
    assert many.text == (
        "6 models make 15 pairs, and a model has 3 seeds only: with that few, claims of a "
        "difference may be wrong more often than 5 % of the time."
    )


def test_test_below_validation(findings):
    def history(seed):
        return curve_rows(12, final_accuracy=0.95)

    found = findings({"a": FakeModel(0.2, history=history), "b": FakeModel(0.94)})
    assert ("test-below-validation", "b") not in found
    finding = found["test-below-validation", "a"]
    assert finding.severity == "serious"
    assert finding.text == (
        "a has 20.0 % of 1,000 test images correct, but 95.0 % of 1,000 validation images (mean of "
        "5 seeds): the two parts are not of one kind."
    )


def test_failures_that_did_not_occur_are_told_where_others_did(findings):
    wild = FakeModel((0.93, 0.93, 0.93, 0.93, 0.1), diverged={4: 3})
    found = findings({"a": FakeModel(0.95), "wild": wild})["unseen-failures", None]
    assert found.text == (
        "Training failed for wild in 1 of 5 runs; that it never failed for the others says "
        "little: 5 sound runs of a leave a failure rate of up to 46 %."
    )


def test_too_few_seeds(findings):
    models = {
        "a": FakeModel([0.930, 0.950, 0.940], parameters=5),
        "b": FakeModel([0.915, 0.935, 0.925], parameters=6),
        "c": FakeModel(0.70, parameters=7),
    }
    finding = findings(models, seeds=(0, 1, 2), n_test=20_000)["too-few-seeds", None]
    assert finding.severity == "warning"
    assert finding.text == (
        "1 of 3 pairs of models is not separated by 3 seeds. If the 1.50 points between a and b "
        "are real, about 5 seeds of each have an even chance to show it."
    )
    assert finding.advice == (
        "Train more seeds (--seeds 5), which opens the test set again and makes the verdicts "
        "exploratory, or report that these seeds do not separate them."
    )


@pytest.mark.parametrize("code", ["too-few-seeds", "few-seeds"])
def test_before_the_last_declared_look_more_seeds_are_no_second_look(tmp_path, code):
    models = {f"m{k}": FakeModel([0.93, 0.95, 0.94 - 0.01 * k]) for k in range(6)}
    result = compare([write_study(tmp_path / "s", models, seeds=(0, 1, 2), n_test=20_000)])
    assert "makes the verdicts exploratory" in STUDY_CHECKS[code](result).advice
    at_look = replace(result, look=Look(1, (3, 5, 10)))
    assert STUDY_CHECKS[code](at_look).advice == (
        "The next look, after 5 seeds, was declared before the first, and makes nothing "
        "exploratory: let the run go on, or run the same recipe again."
    )
    for other in (
        replace(at_look, look=Look(3, (3, 5, 10))),
        replace(at_look, changed_rules=("margin is 0.3, and was 0.002",)),
    ):
        assert "makes the verdicts exploratory" in STUDY_CHECKS[code](other).advice


def test_where_every_pair_is_settled_no_look_is_said_to_follow(tmp_path):
    """The run has ended there, and the same recipe would do nothing."""
    models = {f"m{k}": FakeModel(0.5 + 0.08 * k) for k in range(6)}
    result = compare([write_study(tmp_path / "s", models, seeds=(0, 1, 2), baselines={})])
    assert {pair.verdict for pair in result.pairs} == {"better"}
    settled = replace(result, look=Look(1, (3, 5, 10)))
    assert STUDY_CHECKS["few-seeds"](settled).advice == (
        "Train at least 5 seeds of every model (--seeds 5), which opens the test set again and "
        "makes the verdicts exploratory."
    )


def test_equal_models_need_no_seeds(findings):
    found = findings({"a": FakeModel(0.93), "b": FakeModel(0.93)})
    assert ("too-few-seeds", None) not in found


ALIKE = {f"m{k}": FakeModel([0.93 + 0.002 * ((k * s) % 3) for s in range(5)]) for k in range(6)}


def test_many_models(findings):
    finding = findings({**ALIKE, "poor": FakeModel(0.8)})["many-models", None]
    assert finding.severity == "info"
    assert finding.text.split(":")[0].endswith(
        "has the highest of 7 means, and 5 other models are not separated from it"
    )


def test_many_models_speaks_of_no_verdicts_where_seeds_are_too_few(findings):
    finding = findings(ALIKE, seeds=(0, 1))["many-models", None]
    assert finding.text.split(":")[0].endswith(
        "has the highest of 6 means, and 5 other models have no verdict beside it"
    )


def test_many_models_counts_all_that_are_not_separated(findings):
    """One whose run diverged is not separated either, and the best may be such a one."""
    models = {**ALIKE, "wild": FakeModel([0.94, 0.931, 0.936, 0.933, 0.937], diverged={4: 8})}
    finding = findings(models)["many-models", None]
    assert finding.text.startswith(
        "wild has the highest of 7 means, and 6 other models are not separated from it: "
    )


@pytest.mark.parametrize(("m", "largest"), [(5, 1.16296), (10, 1.53875), (50, 2.24907)])
def test_flattery_is_the_expected_largest_of_normal_numbers(m, largest):
    assert study_design.flattery(m, 0.01) == pytest.approx(0.01 * largest, rel=0.02)


def test_many_models_says_by_how_much(tmp_path):
    result = compare([write_study(tmp_path / "s", ALIKE)])
    (said,) = (each.text for each in result.findings if each.code == "many-models")
    error = np.sqrt(np.mean([pair.test.variance for pair in result.pairs]) / 2)
    found = float(re.search(r"by ([\d.]+) points", said)[1])
    assert found == pytest.approx(100 * 1.26721 * error, rel=0.05)  # the largest of six


def test_few_models_flatter_little(findings):
    models = {f"m{k}": FakeModel(0.93) for k in range(4)}
    assert ("many-models", None) not in findings(models)


def test_a_model_with_failed_seeds_is_no_rival(findings):
    models = {f"m{k}": FakeModel(0.93) for k in range(4)}
    wild = FakeModel((0.93, 0.93, 0.93, 0.93, 0.1), diverged={4: 3})
    assert ("many-models", None) not in findings({**models, "wild": wild})


def test_duplicates(findings):
    duplicates = {
        "exact": {"train-validation": 3, "train-test": 1, "validation-test": 0},
        "near": {"train-validation": 0, "train-test": 2, "validation-test": 0},
    }
    finding = findings(duplicates=duplicates)["duplicates", None]
    assert finding.severity == "warning"
    assert finding.text == (
        "The parts of the split share images: 1 test image has an exact twin in the training "
        "part, 3 validation images have an exact twin in the training part and 2 test images have "
        "a near twin in the training part; up to 0.30 % of the 1,000 test images may have been "
        "learnt by heart."
    )


def test_duplicates_across_folds(tmp_path):
    """No fold is the training part, and copies cannot be kept in one: folds are drawn."""
    copies = {"exact": {"train-test": 2}, "near": {"train-test": 0}}
    result = compare([write_study(tmp_path / "study", n_test=1000, duplicates=copies)])
    finding = parts.duplicates(replace(result, data={**result.data, "folds": 5}))
    assert finding is not None
    assert finding.text == (
        "The folds share images: 2 images have an exact twin in another fold; up to 0.20 % of the "
        "1,000 test images may have been learnt by heart."
    )
    assert finding.advice == "Keep one copy of each image alone, and run it again."


@pytest.mark.parametrize(
    ("seeds", "check", "text", "advice"),
    [
        (
            range(1),
            study_design.one_seed,
            "cnn and mlp have one repeat only, so nothing is said about models, only about the "
            "networks of its folds.",
            "Train at least 3 repeats of each model (--seeds 3), better 5",
        ),
        (
            range(2),
            study_design.few_seeds,
            "There is no verdict below 3 repeats of each model, and a model has 2: that few cannot "
            "tell a better model from a lucky run.",
            "Train at least 3 repeats of each model (--seeds 3), better 5",
        ),
    ],
)
def test_in_cross_validation_repeats_are_counted(tmp_path, seeds, check, text, advice):
    """There each network has a seed of its own: a repeat of 5 folds has five."""
    result = compare([write_study(tmp_path / "study", seeds=tuple(seeds))])
    finding = check(replace(result, data={**result.data, "folds": 5}))
    assert finding is not None
    assert finding.text == text
    assert finding.advice.startswith(advice)


def test_more_repeats_are_advised_in_cross_validation(tmp_path):
    models = {"a": FakeModel(0.93), "b": FakeModel(0.937)}
    result = compare([write_study(tmp_path / "study", models)])
    plain = study_design.too_few_seeds(result)
    finding = study_design.too_few_seeds(replace(result, data={**result.data, "folds": 5}))
    assert plain is not None and finding is not None
    assert finding.text == plain.text.replace("seeds", "repeats")
    assert re.match(r"Train more repeats \(--seeds \d+\).* that these repeats do", finding.advice)


@pytest.mark.parametrize(("near", "severity"), [(1, "info"), (10, "serious"), (0, None)])
def test_near_duplicates_count_from_one_in_a_thousand(findings, near, severity):
    found = findings(n_test=1000, duplicates={"exact": {}, "near": {"train-test": near}})
    finding = found.get(("duplicates", None))
    assert (finding and finding.severity) == severity


def test_a_lone_near_duplicate_of_many_is_no_finding(findings):
    assert findings(n_test=2000, duplicates={"exact": {}, "near": {"train-test": 1}}) == {}


def test_missing_and_tiny_classes(findings):
    labels = np.repeat(np.arange(9), 100)
    counts = {"train": [400] * 8 + [19, 400], "validation": [100] * 10}
    finding = findings(labels=labels, class_counts=counts)["small-classes", None]
    assert finding.severity == "serious"
    assert finding.text == (
        "Some classes are missing or tiny: 9 (0 in test) without images; 8 (19 in train) with "
        "fewer than 20."
    )


def test_classes_in_folds(tmp_path):
    """What the first of them trains on and validates on is few of a class in most small studies."""
    counts = {"train": [40] * 9 + [0], "validation": [10] * 10}
    result = compare([write_study(tmp_path / "study", class_counts=counts)])
    finding = parts.small_classes(replace(result, data={**result.data, "folds": 5}))
    assert finding is not None
    assert finding.text == (
        "Some classes are missing or tiny: 9 (0 in train of the first fold) without images."
    )


def test_tiny_classes_alone_are_a_warning(findings):
    labels = np.concatenate([np.arange(900) % 9, np.full(5, 9)])
    assert findings(labels=labels)["small-classes", None].severity == "warning"


def test_opened_again(findings):
    finding = findings(openings=3)["opened-again", None]
    assert finding.severity == "warning"
    assert finding.text == (
        "The test set was opened 3 times, so that models or seeds were added or trained again with "
        "its first results known: the verdicts are exploratory."
    )


@pytest.mark.parametrize(
    ("openings", "said"),
    [
        (1, "2 times, once by each of the 2 studies compared"),
        (3, "6 times by the 2 studies compared"),
    ],
)
def test_of_several_studies_that_were_opened_nobody_is_said_to_have_added_anything(
    tmp_path, openings, said
):
    folders = [write_study(tmp_path / name, name=name, openings=openings) for name in ("s", "t")]
    (text,) = [each.text for each in compare(folders).findings if each.code == "opened-again"]
    assert text == (
        f"The test set was opened {said}, so that one of them may have been made, or added to, "
        "with results of this test set known: the verdicts are exploratory."
    )


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (
            2,
            "This test set of 1,000 images was also opened 2 times by other studies of yours, "
            "which may have shaped this one, or what is told of it.",
        ),
        (
            None,
            "Whether other studies opened this test set cannot be said: the user's ledger of it "
            "cannot be read, or was changed.",
        ),
    ],
)
def test_opened_elsewhere(tmp_path, times, text):
    result = compare([write_study(tmp_path / "s")])
    (finding,) = check(replace(result, openings_elsewhere=times, shared_elsewhere=1.0))
    assert (finding.code, finding.severity, finding.text) == ("opened-elsewhere", "warning", text)


def test_not_all_openings_elsewhere_were_of_the_whole_test_set(tmp_path):
    result = compare([write_study(tmp_path / "s")])
    told = {"openings_elsewhere": 6, "shared_elsewhere": 1.0, "partly_elsewhere": True}
    (finding,) = check(replace(result, **told))
    assert finding.text.startswith(
        "This test set of 1,000 images, or a part of it, was also opened 6 times by other studies"
    )
