"""What scores and verdicts come to, in sentences: loss, mistakes, calibration, costs, variance."""

from __future__ import annotations

import numpy as np

from bakeoff.analysis.class_mistakes import mistakes
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.preference import frontier
from bakeoff.report.words.wording import basis, loss, loss_interval
from bakeoff.utils.text import (
    counted,
    decimals,
    declared_points,
    listed,
    percent,
    points,
    some,
)

_NAMED = 3  # mistakes that are named


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


def about_mistakes(comparison: Comparison, model: ModelResult) -> str:
    """Say which classes a model mistakes most often."""
    names = comparison.class_names
    images_of = np.bincount(comparison.labels, minlength=len(names))
    worst = [each for each in mistakes(model.confusion, images_of) if each[2] >= 0.5][:_NAMED]
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
    tests = [p.test for p in comparison.pairs if p.test is not None and not p.failed]
    failed = any(pair.failed for pair in comparison.pairs)  # what to mend before adding seeds
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
        f"{100 * both:.0f} % from both together (mean over {counted(len(known), 'pair')}"
        f"{' without failed runs' if failed else ''}). "
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
            f" With {basis(comparison)}, no margin below {least} points could be shown"
            f"{f', adjusted for {len(shown):,} pairs' if len(shown) > 1 else ''}."
        )
    return text


def _loss(model: ModelResult) -> str:
    return f"{loss(model.loss.mean)}, {loss_interval(model.loss.estimate)}"
