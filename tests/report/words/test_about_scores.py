"""What scores and verdicts come to, in sentences.

Oracle: sentences that were read aloud; whoever changes one reads it to somebody who teaches
biology. Cost: 1 s.

Run: pytest tests/report/words/test_about_scores.py
"""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from bakeoff.report.words.about_scores import (
    about_calibration,
    about_frontier,
    about_loss,
    about_margin,
    about_mistakes,
    about_variance,
)


def test_the_commonest_mistakes_are_named(study):
    assert about_mistakes(study, study.model("tiny")).startswith(
        "Most often it takes Shirt for T-shirt"
    )


def test_mistakes_that_no_two_classes_share_are_mistakes_all_the_same(study):
    """Of another class with each seed, or without a prediction."""
    cnn = study.model("cnn")

    def said(mean, confusion):
        accuracy = replace(cnn.accuracy, estimate=replace(cnn.accuracy.estimate, mean=mean))
        model = replace(cnn, accuracy=accuracy, confusion=confusion)
        return about_mistakes(study, model)

    spread = np.full((10, 10), 12 / 90)
    np.fill_diagonal(spread, 398.8)
    assert said(0.997, spread) == (
        "It gets 12.0 of 4,000 test images wrong, but no class stands out that it takes for one "
        "other; mean of 3 seeds."
    )
    assert said(0.9975, np.diag(np.full(10, 399.0))) == (
        "It gets 10.0 of 4,000 test images wrong, 10.0 of them without a prediction, but no class "
        "stands out that it takes for one other; mean of 3 seeds."
    )
    assert said(1.0, np.diag(np.full(10, 400.0))) == (
        "It made next to no mistakes on these test images."
    )


def test_confidence_is_told_from_accuracy(study):
    assert re.fullmatch(
        r"Its confidence and its accuracy are \d\.\d\d points apart on average \(3 seeds, "
        r"\d\.\d\d to \d\.\d\d; expected calibration error, 15 bins\)\.",
        about_calibration(study.model("cnn")),
    )
    unknown = tuple(replace(each, error=None) for each in study.model("cnn").calibration)
    assert about_calibration(replace(study.model("cnn"), calibration=unknown)) == ""


def test_the_frontier_is_of_models_that_no_smaller_one_equals(study):
    tiny, cnn = study.model("tiny"), study.model("cnn")
    assert about_frontier(study) == (
        "tiny and cnn score higher, on average, than every model that is as small or smaller; mlp "
        "does not."
    )
    assert about_frontier(replace(study, models=(cnn, tiny))) == (
        "Each larger model has a higher mean accuracy, so none is beaten by a smaller one."
    )
    assert about_frontier(replace(study, models=(tiny,))) == (
        "tiny is the only model: there is none that costs less."
    )


def test_where_time_counts_the_frontier_is_of_times(timed):
    assert about_frontier(timed) == (
        "cnn scores higher, on average, than every model that is as fast or faster; tiny and mlp "
        "do not."
    )
    cnn, tiny = timed.model("cnn"), timed.model("tiny")
    swapped = (replace(cnn, accuracy=tiny.accuracy), replace(tiny, accuracy=cnn.accuracy))
    assert about_frontier(replace(timed, models=swapped)) == (
        "Each slower model has a higher mean accuracy, so none is beaten by a faster one."
    )


def test_what_the_uncertainty_comes_from_says_what_would_help(study):
    assert re.fullmatch(
        r"\d+ % of the uncertainty about one model comes from which images the test set happens to "
        r"hold \(mean over the models; shares are of the squared standard error\)\. Of the "
        r"uncertainty about the difference between two models, \d+ % comes from the images, \d+ % "
        r"from the seeds and \d+ % from both together \(mean over 3 pairs\)\. "
        r"(Either more seeds or more test images|More seeds"
        r"|More test images) would tell the models apart best\.",
        about_variance(study),
    )


def test_more_of_what_the_uncertainty_comes_from_is_what_helps(study):
    def said(images, seeds, both, **known):
        test = SimpleNamespace(sources=(images, seeds, both), variance=images + seeds + both)
        pairs = tuple(replace(pair, test=test) for pair in study.pairs)
        return about_variance(replace(study, pairs=pairs, **known)).split("two models, ")[1]

    assert said(6e-6, 3e-6, 1e-6) == (
        "60 % comes from the images, 30 % from the seeds and 10 % from both together (mean over 3 "
        "pairs). More test images would tell the models apart best."
    )
    assert said(3e-6, 6e-6, 1e-6).endswith(" More seeds would tell the models apart best.")
    assert said(3e-6, 2e-6, 5e-6).endswith(
        " Either more seeds or more test images would tell the models apart best."
    )
    assert said(3e-6, 6e-6, 1e-6, data={**study.data, "folds": 5}) == (
        "30 % comes from the images, 60 % from the networks and 10 % from both together (mean over "
        "3 pairs). More repeats would tell the models apart best."
    )


def test_pairs_with_failed_runs_do_not_say_that_more_seeds_would_help(study):
    """Beside each stands what to mend before adding seeds."""
    first, *others = study.pairs
    pairs = (replace(first, failed="cnn failed with seed 0"), *others)
    assert "(mean over 2 pairs without failed runs)" in about_variance(replace(study, pairs=pairs))
    none = about_variance(replace(study, pairs=(pairs[0],)))
    assert none.endswith("(mean over the models; shares are of the squared standard error).")


def test_the_margin_is_told_and_what_could_have_been_shown(study):
    assert re.fullmatch(
        r"Practically equal means: shown to differ by less than 0\.20 points \(the margin\)\. With "
        r"4,000 test images, 3 seeds, no margin below \d\.\d\d points could be shown, adjusted for "
        r"3 pairs\.",
        about_margin(study),
    )
    exact = tuple(replace(pair, smallest_margin=0.00319) for pair in study.pairs)
    assert about_margin(replace(study, margin=0.00025, pairs=exact)) == (
        "Practically equal means: shown to differ by less than 0.025 points (the margin). With "
        "4,000 test images, 3 seeds, no margin below 0.319 points could be shown, adjusted for 3 "
        "pairs."
    )
    one = about_margin(replace(study, pairs=exact[:1]))
    assert one.endswith(" no margin below 0.31 points could be shown.")


def test_the_loss_is_told_from_the_accuracy(study):
    assert about_loss(study).startswith(
        "Accuracy counts correct predictions and decides the verdicts; the loss also weighs how "
        "sure a model was, so it matters where its probabilities are used. Here "
    )


def test_of_models_of_one_accuracy_the_best_loss_is_best_by_both(study):
    cnn, tiny = study.model("cnn"), study.model("tiny")
    lower = replace(tiny.loss, estimate=replace(tiny.loss.estimate, mean=0.01))
    level = (cnn, replace(tiny, accuracy=cnn.accuracy, loss=lower))
    assert about_loss(replace(study, models=level)).endswith("Here tiny is best by both.")
