"""What the numbers say, in sentences: parameters, trajectories, costs, variance.

Plain text without markup; whoever shows it escapes it. No sentence has a number without saying
what it is a mean of.
"""

from __future__ import annotations

import numpy as np

from bakeoff.analysis.checks.wording import baseline_in_words
from bakeoff.analysis.class_mistakes import mistakes
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.epoch_curves import curve, trained_alone
from bakeoff.analysis.preference import frontier
from bakeoff.report.words.wording import (
    basis,
    failed_runs,
    failure_rate,
    loss,
    loss_interval,
    of_first,
    seed_list,
    sound_accuracy,
    trained_on,
)
from bakeoff.utils.text import (
    counted,
    decimals,
    declared_points,
    listed,
    percent,
    points,
    sentence,
    some,
)

_PARTS = {"train": "training", "validation": "validation", "test": "test"}
_RISE = 0.05  # share by which the validation loss must have risen to be called so


def headline(comparison: Comparison) -> tuple[str, str, str]:
    """Return the headline, split as (before, model's name, after)."""
    found = comparison.headline
    if found is None:
        return "Nothing has been scored yet.", "", ""
    of_baseline = found.case == "a baseline does as well"
    return found.before, baseline_in_words(found.name) if of_baseline else found.name, found.after


def mark(comparison: Comparison) -> str:
    """Return what the table calls the model it marks: the one to use, or else the best mean."""
    return "recommended" if comparison.to_use else "scored highest"


def reason(comparison: Comparison) -> str:
    """Return the headline's reason as a sentence."""
    return sentence(comparison.headline.reason) if comparison.headline else ""


def cautions(comparison: Comparison, *, found: bool = False) -> list[str]:
    """Return what a reader must know before believing the headline.

    `found` leaves out what findings beside it say already.
    """
    codes = {finding.code for finding in comparison.findings} if found else set()
    notes = []
    if comparison.changed:
        notes.append(
            f"Exploratory, and not all that was opened: left out are {listed(comparison.changed)}."
        )
    if comparison.unplanned_openings:
        notes.append(
            f"Exploratory: the test set was opened {comparison.test_openings} times"
            f"{_of_them(comparison)}, so these verdicts were not decided before the test images "
            "were seen."
        )
    if comparison.openings_elsewhere and "opened-elsewhere" not in codes:
        times = counted(comparison.openings_elsewhere, "time")
        same = "this same test set" if comparison.shared_elsewhere == 1 else "some of its images"
        if comparison.shared_elsewhere == 1 and comparison.partly_elsewhere:
            same += ", or a part of it,"
        notes.append(f"Other studies of yours opened {same} {times}.")
    if comparison.missing:
        notes.append(f"Missing, and therefore not counted: {listed(comparison.missing)}.")
    if found:
        return notes
    for model in comparison.models:
        if model.diverged:
            which = seed_list(model.diverged, model.unit)
            notes.append(f"{model.name}: training diverged with {which}.")
        if model.failed:
            which = seed_list(model.failed, model.unit)
            notes.append(
                f"{model.name}: {failed_runs(model)} runs failed ({which}; the failure rate lies "
                f"in {failure_rate(model)}). Its mean accuracy is {percent(model.accuracy.mean)}"
                f"{_without(model)}; verdicts count all runs."
            )
    return notes


def _without(model: ModelResult) -> str:
    if model.sound_accuracy is None:
        return ", and no other run is left"
    return f" with them and {sound_accuracy(model)} without"


def about_data(comparison: Comparison) -> str:
    """Say how many classes and images there are, how large an image is, and how many are copies."""
    data = comparison.data
    folds = comparison.folded
    parts = [f"{counted(len(comparison.class_names), 'class', 'classes')}"]
    if data.get("input_shape"):
        height, width, channels = data["input_shape"]
        parts[0] += f", every image brought to {height} × {width} pixels"
        parts[0] += {1: ", grey", 3: ", in colour"}.get(channels, f" of {channels} values")
    if first := of_first(comparison):
        parts.append(f"Numbers of training and validation images are those {first}")
    copies = []
    for kind, word in (("exact", "an exact copy"), ("near", "a near-copy")):
        for pair, number in comparison.duplicates.get(kind, {}).items():
            earlier, later = (_PARTS[part] for part in pair.split("-"))
            verb = "has" if number == 1 else "have"
            which = "image" if folds else f"{later} image"
            where = "another fold" if folds else f"the {earlier} part"
            if number:
                copies.append(f"{counted(number, which)} {verb} {word} in {where}")
    two = "two folds" if folds else "two parts of the split"
    copies = copies or [f"No image stands in {two}, exactly or nearly"]
    return " ".join(f"{part}." for part in [*parts, *copies])


def twins(comparison: Comparison) -> list[str]:
    """Name the copies in two parts, or folds, that study.json names, the first five of a kind."""
    said = []
    for each in comparison.data.get("twins") or ():
        earlier, later = (_PARTS[part] for part in each["parts"].split("-"))
        first, second = each["files"]
        word = "is" if each["kind"] == "exact" else "is nearly"
        if comparison.folded:
            said.append(f"{second} {word} {first}, in another fold.")
        else:
            said.append(f"{second} ({later}) {word} {first} ({earlier}).")
    return said


def about_loss(comparison: Comparison) -> str:
    """Say whether loss and accuracy agree about the best model, and what each means."""
    models = [model for model in comparison.models if np.isfinite(model.loss.mean)]
    if len(models) < 2:
        return ""
    by_loss = min(models, key=lambda model: model.loss.mean)
    by_accuracy = comparison.models[0]
    if by_loss.accuracy.mean == by_accuracy.accuracy.mean:  # which is first is chance
        by_accuracy = by_loss
    meaning = (
        "Accuracy counts correct predictions and decides the verdicts; the loss also weighs how "
        "sure a model was, so it matters where its probabilities are used."
    )
    if by_loss is by_accuracy:
        return f"{meaning} Here {by_loss.name} is best by both."
    return (
        f"{meaning} Here they do not put the same model first: {by_accuracy.name} has the highest "
        f"mean accuracy, {by_loss.name} the lowest mean loss ({_loss(by_loss)} against "
        f"{_loss(by_accuracy)})."
    )


def about_curves(comparison: Comparison) -> str:
    """Say on which images the curves of all models were measured."""
    alone = trained_alone(comparison)
    if not alone:
        return "Measured on the validation images after each epoch."
    which = "there are no validation images"
    if len(alone) < len(comparison.models):
        which = f"for {some(alone)}; for the others on the validation images after each epoch"
    return f"Measured on the training images during each epoch: {which}."


def trajectory(comparison: Comparison, model: ModelResult) -> list[str]:
    """Say what a model's training curves show; means over its seeds."""
    found = {(finding.code, finding.model) for finding in comparison.findings}
    over_fitting = ("over-fitting", model.name) in found
    training = curve(model.histories, "loss")
    if training is None:
        return []
    those = counted(len(model.seeds), model.unit)
    if model.diverged:
        those = f"those of {those} whose loss was a number"
    texts = [
        f"Training loss went from {loss(training.mean[0])} to {loss(training.mean[-1])} in "
        f"{counted(len(training.mean), 'epoch')} (mean of {those})"
        + _validation(model, over_fitting=over_fitting)
        + "."
    ]
    gap = _gap(model)
    if gap:
        texts.append(gap)
    for seed, epoch in zip(model.seeds, model.diverged_epochs, strict=True):
        if epoch is not None:
            texts.append(
                f"{model.unit.capitalize()} {seed} diverged in epoch {epoch}: its loss was no "
                "longer a number, and its last finite weights were kept."
            )
    return texts


def about_mistakes(comparison: Comparison, model: ModelResult, *, most: int = 3) -> str:
    """Say which classes a model mistakes most often."""
    names = comparison.class_names
    images_of = np.bincount(comparison.labels, minlength=len(names))
    worst = [each for each in mistakes(model.confusion, images_of) if each[2] >= 0.5][:most]
    means = f"mean of {counted(len(model.seeds), model.unit)}"
    if not worst:
        return _scattered(model, len(comparison.labels), means)
    said = [
        f"{names[i]} for {names[j]} ({images:,.1f} images, {percent(rate)} of {names[i]})"
        for i, j, images, rate in worst
    ]
    return f"Most often it takes {listed(said)}; {means}."


def _scattered(model: ModelResult, images: int, means: str) -> str:
    """Say what is wrong where no class is taken for another in half an image."""
    wrong = (1 - model.accuracy.mean) * images
    if wrong < 1:
        return "It made next to no mistakes on these test images."
    without = images - float(model.confusion.sum())
    lacking = f", {without:,.1f} of them without a prediction," if without > 0.05 else ","
    return (
        f"It gets {wrong:,.1f} of {images:,} test images wrong{lacking} but no class stands out "
        f"that it takes for one other; {means}."
    )


def about_calibration(model: ModelResult) -> str:
    """Say how far confidence and accuracy are apart."""
    errors = [each.error for each in model.calibration if each.error is not None]
    if not errors:
        return ""
    spread = f", {points(min(errors))} to {points(max(errors))}" if len(errors) > 1 else ""
    return (
        f"Its confidence and its accuracy are {points(float(np.mean(errors)))} points apart "
        f"on average ({counted(len(errors), model.unit)}{spread}; expected calibration error, 15 "
        "bins)."
    )


def about_frontier(comparison: Comparison) -> str:
    """Say which models no smaller one equals, or no faster one where time counts."""
    order = comparison.order
    if len(comparison.models) == 1:
        return f"{comparison.models[0].name} is the only model: there is none that costs less."
    larger, smaller, small = "larger", "smaller", "small"
    if order.by_time:
        larger, smaller, small = "slower", "faster", "fast"
    best = frontier([(m.name, order.cost(m.name), m.accuracy.mean) for m in comparison.models])
    rest = [model.name for model in comparison.models if model.name not in best]
    if not rest:
        return (
            f"Each {larger} model has a higher mean accuracy, so none is beaten by a {smaller} one."
        )
    score, do = "scores" if len(best) == 1 else "score", "does" if len(rest) == 1 else "do"
    return (
        f"{some(best)} {score} higher, on average, than every model that is as {small} or "
        f"{smaller}; {some(rest)} {do} not."
    )


def about_variance(comparison: Comparison) -> str:
    """Say what would make the differences between models better known, and their accuracies."""
    tests = [pair.test for pair in comparison.pairs if pair.test is not None]
    known = [np.array(test.sources) / test.variance for test in tests if test.variance > 0]
    known_shares = (model.accuracy.estimate.shares for model in comparison.models)
    shares = [parts for parts in known_shares if parts is not None]
    folded, unit = comparison.folded, comparison.unit
    others, whole = ("networks", "data set") if folded else ("seeds", "test set")
    if not shares:
        return (
            f"With one {unit} of each model the images' and the {others}' parts cannot be told "
            "apart."
        )
    own = float(np.mean([parts[0] for parts in shares]))
    text = (
        f"{100 * own:.0f} % of the uncertainty about one model comes from which images the "
        f"{whole} happens to hold (mean over the models; shares are of the squared standard error)"
    )
    if not known:
        return f"{text}."
    images, seeds, both = np.mean(known, axis=0)
    more_images = "more images" if folded else "more test images"
    helps = f"more {unit}s" if seeds > images else more_images
    if both > max(images, seeds):
        helps = f"either more {unit}s or {more_images}"
    return (
        f"{text}. Of the uncertainty about the difference between two models, "
        f"{100 * images:.0f} % comes from the images, {100 * seeds:.0f} % from the {others} and "
        f"{100 * both:.0f} % from both together (mean over {counted(len(known), 'pair')}). "
        f"{helps[0].upper()}{helps[1:]} would tell the models apart best."
    )


def about_margin(comparison: Comparison) -> str:
    """Say what the margin means, and what margin could have been shown at all."""
    shown = [pair.smallest_margin for pair in comparison.pairs if pair.smallest_margin is not None]
    text = (
        "Practically equal means: shown to differ by less than "
        f"{declared_points(comparison.margin)} points (the margin)."
    )
    if shown and min(shown) > comparison.margin:
        least = points(min(shown), decimals(comparison.margin), "down")
        text += (
            f" With {basis(comparison)}, differences smaller than {least} points "
            "cannot be ruled out for any pair."
        )
    return text


def times_opened(comparison: Comparison) -> str:
    """Say how often the test set was opened: "once", or "look 2 of 3, as declared"."""
    if comparison.look and not comparison.unplanned_openings:
        after = listed(map(str, comparison.look.after))
        return f"at {comparison.look.text}, as declared (after {after} seeds)"
    return "once" if comparison.test_openings == 1 else f"{comparison.test_openings} times"


def _of_them(comparison: Comparison) -> str:
    if comparison.look is None:
        return ""
    return f", {comparison.planned_openings} of them as the looks that were declared"


def footer(comparison: Comparison) -> str:
    """Return the line that belongs under every table."""
    data = comparison.data
    opened = times_opened(comparison)
    text = f"{data.get('name', 'data')}: {basis(comparison)}; "
    about = trained_on(comparison)
    text += f"{about}; all images opened {opened}" if about else f"test set opened {opened}"
    if comparison.exploratory:
        text += "; verdicts are exploratory"
    return text + "."


def _loss(model: ModelResult) -> str:
    return f"{loss(model.loss.mean)}, {loss_interval(model.loss.estimate)}"


def _validation(model: ModelResult, *, over_fitting: bool) -> str:
    line = curve(model.histories, "val_cross_entropy")
    if line is None or not np.isfinite(line.mean).any():
        return ""
    values = line.mean[np.isfinite(line.mean)]
    lowest, last = int(values.argmin()), len(values) - 1
    low, end = float(values[lowest]), float(values[-1])
    training = curve(model.histories, "loss")
    if lowest == last:
        return (
            f"; validation loss was lowest, {loss(low)}, in the last epoch, so more epochs "
            "might still have helped"
        )
    if end > (1 + _RISE) * low:
        fell = training is not None and training.mean[len(values) - 1] < training.mean[lowest]
        why = "while training loss went on falling" if fell else ""
        why += ": the sign of over-fitting" if fell and over_fitting else ""
        return (
            f"; validation loss was lowest, {loss(low)}, in epoch {lowest} and had risen to "
            f"{loss(end)} by epoch {last}" + (f", {why}" if why else "")
        )
    return (
        f"; validation loss was lowest, {loss(low)}, in epoch {lowest} and stayed near it, "
        f"{loss(end)} in epoch {last}"
    )


def _gap(model: ModelResult) -> str:
    pairs = [
        (history["accuracy"][epoch], history["val_accuracy"][epoch])
        for epoch, history in zip(model.selected_epochs, model.histories, strict=True)
        if epoch is not None
    ]
    finite = [pair for pair in pairs if np.isfinite(pair).all()]
    if not finite:
        return ""
    training, validation = np.mean(finite, axis=0)
    gap = training - validation
    text = (
        f"In the selected epochs it was correct on {percent(training)} of the training images and "
        f"{percent(validation)} of the validation images: a gap of "
        f"{points(gap)} points"
    )
    if gap < 0:
        text += (
            " (training accuracy is measured during the epoch, with dropout and augmentation at "
            "work)"
        )
    return text + "."
