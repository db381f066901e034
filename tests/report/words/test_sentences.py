"""What conclusion.py and about_data, about_training and about_scores say, word for word.

Oracle: sentences that were read aloud. Cost: 8 s.

Run: pytest tests/report/words/test_sentences.py
"""

import re
from dataclasses import replace

import numpy as np

from bakeoff.analysis.comparison import Finding
from bakeoff.analysis.recommendation import Headline
from bakeoff.report.page import galleries, glossary
from bakeoff.report.words import about_data, about_scores, about_training, conclusion
from bakeoff.report.words.protocol_steps import protocol


def history(loss, validation, *, accuracy=0.9, val_accuracy=0.8):
    epochs = len(loss)
    return {
        "epoch": np.arange(float(epochs)),
        "loss": np.array(loss),
        "accuracy": np.full(epochs, accuracy),
        "val_loss": np.array(validation),
        "val_cross_entropy": np.array(validation),
        "val_accuracy": np.full(epochs, val_accuracy),
        "learning_rate": np.full(epochs, 0.001),
    }


def test_trajectories_in_words(study):
    def said(loss, validation, *findings, failed=(), **accuracies):
        model = replace(
            study.model("mlp"),
            seeds=(0,),
            histories=(history(loss, validation, **accuracies),),
            selected_epochs=(1,),
            diverged_epochs=(None,),
            failed=failed,
        )
        return about_training.trajectory(replace(study, findings=findings), model)

    over = Finding("over-fitting", "info", "mlp", "", "")
    assert said([2.0, 1.0, 0.5], [1.0, 0.8, 1.2], over) == [
        "Training loss went from 2.000 to 0.500 in 3 epochs (mean of 1 seed); validation loss was "
        "lowest, 0.800, in epoch 1 and had risen to 1.200 by epoch 2, while training loss went on "
        "falling: the sign of over-fitting.",
        "In the selected epochs it was correct on 90.00 % of the training images and 80.00 % of "
        "the validation images: a gap of 10.00 points.",
    ]
    assert said([2.0, 1.0, 0.5], [1.0, 0.8, 0.81])[0].endswith(
        "validation loss was lowest, 0.800, in epoch 1 and stayed near it, 0.810 in epoch 2."
    )
    assert said([2.0, 1.0, 0.05], [1.0, 0.8, 0.7])[0] == (
        "Training loss went from 2.000 to 0.0500 in 3 epochs (mean of 1 seed); validation loss was "
        "lowest, 0.700, in the last epoch, so more epochs might still have helped."
    )
    assert said([2.303, 2.302], [2.302, 2.301], failed=(0,))[0].endswith(
        "validation loss was lowest, 2.301, in the last epoch."
    )
    assert said([2.0, 1.0], [1.0, 0.8], accuracy=0.7)[1].endswith(
        "a gap of −10.00 points (training accuracy is measured during the epoch, with dropout and "
        "augmentation at "
        "work)."
    )


def test_the_sentences_people_read_most(study, parsed):
    """Word for word; whoever changes one reads it aloud to somebody who teaches biology."""
    tiny, cnn = study.model("tiny"), study.model("cnn")
    assert about_scores.about_mistakes(study, tiny).startswith(
        "Most often it takes Shirt for T-shirt"
    )
    assert re.fullmatch(
        r"Its confidence and its accuracy are \d\.\d\d points apart on average \(3 seeds, "
        r"\d\.\d\d to \d\.\d\d; expected calibration error, 15 bins\)\.",
        about_scores.about_calibration(cnn),
    )
    assert about_scores.about_frontier(study) == (
        "tiny and cnn score higher, on average, than every model that is as small or smaller; mlp "
        "does not."
    )
    assert about_scores.about_frontier(replace(study, models=(cnn, tiny))) == (
        "Each larger model has a higher mean accuracy, so none is beaten by a smaller one."
    )
    assert about_scores.about_frontier(replace(study, models=(tiny,))) == (
        "tiny is the only model: there is none that costs less."
    )
    assert re.fullmatch(
        r"\d+ % of the uncertainty about one model comes from which images the test set happens to "
        r"hold \(mean over the models; shares are of the squared standard error\)\. Of the "
        r"uncertainty about the difference between two models, \d+ % comes from the images, \d+ % "
        r"from the seeds and \d+ % from both together \(mean over 3 pairs\)\. "
        r"(Either more seeds or more test images|More seeds"
        r"|More test images) would tell the models apart best\.",
        about_scores.about_variance(study),
    )
    assert re.fullmatch(
        r"Practically equal means: shown to differ by less than 0\.20 points \(the margin\)\. With "
        r"4,000 test images, 3 seeds, differences smaller than \d\.\d\d points cannot be ruled out "
        r"for any pair\.",
        about_scores.about_margin(study),
    )
    exact = tuple(replace(pair, smallest_margin=0.00319) for pair in study.pairs)
    assert about_scores.about_margin(replace(study, margin=0.00025, pairs=exact)) == (
        "Practically equal means: shown to differ by less than 0.025 points (the margin). With "
        "4,000 test images, 3 seeds, differences smaller than 0.319 points cannot be ruled out "
        "for any pair."
    )
    assert "smaller than 0.31 points" in about_scores.about_margin(replace(study, pairs=exact))
    assert about_scores.about_loss(study).startswith(
        "Accuracy counts correct predictions and decides the verdicts; the loss also weighs how "
        "sure a model was, so it matters where its probabilities are used. Here "
    )
    assert about_data.about_data(study) == (
        "10 classes, every image brought to 8 × 8 pixels, grey. No image stands in two parts of "
        "the split, exactly or nearly."
    )
    copies = {"exact": {"train-test": 1}, "near": {"train-validation": 2}}
    twin = {"kind": "exact", "parts": "train-test", "files": ["rose/a.jpg", "rose/b.jpg"]}
    twice = replace(study, duplicates=copies, data={**study.data, "twins": [twin]})
    assert about_data.about_data(twice).endswith(
        "1 test image has an exact copy in the training part. 2 validation images have a near-copy "
        "in the training part."
    )
    assert about_data.twins(twice) == ["rose/b.jpg (test) is rose/a.jpg (training)."]
    folds = replace(
        twice,
        data={**twice.data, "folds": 5},
        duplicates={"exact": {"train-test": 2}, "near": {"train-test": 0}},
    )
    assert about_data.about_data(folds).endswith("2 images have an exact copy in another fold.")
    assert about_data.twins(folds) == ["rose/b.jpg is rose/a.jpg, in another fold."]
    said = parsed.body
    for sentence in (
        "Test accuracy. A dot is one seed, the bar the 95 % interval for other images and other "
        "seeds, its mark the mean; models that share a letter are not separated.",
        "Means over the seeds; in small, 95 % intervals (of a baseline: Wilson’s, on the images).",
        "Loss is the cross-entropy without regularization losses.",
        "Measured on the validation images after each epoch. A line is the mean over the seeds, "
        "its band spans all seeds, a dot marks a seed’s selected epoch; the first epochs may lie "
        "below the picture.",
        "Percent of each class’s test images that a model finds (recall); the stronger the colour, "
        "the more it misses.",
        "Each class against the rest; percent, and areas under the curves below. Means over the "
        "seeds; hover to see their range.",
        "Each class against the rest: the mean over the seeds, and the band of all seeds.",
        "A row is a true class, a column a predicted class; mean of 3 seeds.",
        "The same without the correct predictions, so that the mistakes can be seen.",
        "The row’s model against the column’s, in points: ▲ better, ▼ worse, ≈ practically equal, "
        "? not separated.",
        "The broad line joins the models that nothing cheaper equals; bars are 95 %.",
        "On the dashed line a model is as often correct as it is sure.",
    ):
        assert sentence in said, sentence
    assert conclusion.footer(study) == "digits: 4,000 test images, 3 seeds; test set opened once."
    assert [step.name for step in protocol(study)][:3] == ["Split", "Train", "Select"]
    shown = galleries.shared_mistakes(study)
    assert shown.text == (
        "In brackets, how many of the 3 models predict so. Is the label correct?"
        if shown.cards
        else "There is no test image that every model gets wrong."
    )
    shown = galleries.correct_alone(study)
    assert shown.text == (
        "What a single model sees and all others miss, by most of the seeds of each."
        if shown.cards
        else "There is no test image that exactly one model classifies correctly."
    )
    assert galleries.worst_mistakes(study, tiny).text == (
        "The images that most of its 3 seeds get wrong, the worst first; below each, how many of "
        "them predict this class."
    )
    long = {word: len(meaning.split()) for _, word, meaning in glossary.entries()}
    assert max(long.values()) <= 36, long


def test_a_baseline_has_its_whole_name_in_the_headline(study):
    parts = ("No model is shown to be better than the baseline ", "logistic", ".", "Reason")
    level = Headline("a baseline does as well", None, ("logistic", "cnn"), *parts)
    assert conclusion.headline(replace(study, headline=level)) == (
        "No model is shown to be better than the baseline ", "logistic regression", ".",
    )  # fmt: skip
    use = Headline("use", "logistic", ("logistic",), "Use ", "logistic", ".", "")
    assert conclusion.headline(replace(study, headline=use)) == ("Use ", "logistic", ".")


def test_where_time_counts_the_frontier_is_of_times(timed):
    assert about_scores.about_frontier(timed) == (
        "cnn scores higher, on average, than every model that is as fast or faster; tiny and mlp "
        "do not."
    )
    cnn, tiny = timed.model("cnn"), timed.model("tiny")
    swapped = (replace(cnn, accuracy=tiny.accuracy), replace(tiny, accuracy=cnn.accuracy))
    assert about_scores.about_frontier(replace(timed, models=swapped)) == (
        "Each slower model has a higher mean accuracy, so none is beaten by a faster one."
    )


def test_mistakes_that_no_two_classes_share_are_mistakes_all_the_same(study):
    """Of another class with each seed, or without a prediction."""
    cnn = study.model("cnn")

    def said(mean, confusion):
        accuracy = replace(cnn.accuracy, estimate=replace(cnn.accuracy.estimate, mean=mean))
        model = replace(cnn, accuracy=accuracy, confusion=confusion)
        return about_scores.about_mistakes(study, model)

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


def test_of_a_diverged_seed_only_the_losses_that_are_numbers_are_in_the_mean(study):
    ends = history([3.0, np.nan], [3.0, np.nan])
    model = replace(
        study.model("mlp"),
        seeds=(0, 1),
        histories=(history([2.0, 1.0], [2.0, 1.0]), ends),
        selected_epochs=(1, 0),
        diverged=(1,),
        diverged_epochs=(None, 1),
    )
    assert about_training.trajectory(study, model)[0].startswith(
        "Training loss went from 2.500 to 1.000 in 2 epochs (mean of those of 2 seeds whose loss "
        "was a number); "
    )


def test_of_models_of_one_accuracy_the_best_loss_is_best_by_both(study):
    cnn, tiny = study.model("cnn"), study.model("tiny")
    lower = replace(tiny.loss, estimate=replace(tiny.loss.estimate, mean=0.01))
    level = (cnn, replace(tiny, accuracy=cnn.accuracy, loss=lower))
    assert about_scores.about_loss(replace(study, models=level)).endswith(
        "Here tiny is best by both."
    )
