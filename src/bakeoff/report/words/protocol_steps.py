"""How a study was done, in words, with its own numbers: the steps of Bakeoff's protocol.

Plain text without markup; whoever shows it escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.preference import EQUALLY_FAST
from bakeoff.analysis.race_outcome import Race
from bakeoff.analysis.statistics import FEWEST_SEEDS
from bakeoff.analysis.tuning import budget_words
from bakeoff.analysis.verdicts import level_of
from bakeoff.analysis.wording import baseline_in_words, seed_count, seed_list
from bakeoff.data import about_pixels
from bakeoff.report.words.wording import (
    INTERVAL,
    SELECTIONS,
    of_first,
    times,
    trained_on,
)
from bakeoff.utils.text import counted, declared_points, listed, percent


@dataclass(frozen=True)
class Step:
    """One step of the protocol: its name and what was done, with this study's numbers."""

    name: str
    text: str


def protocol(comparison: Comparison) -> list[Step]:
    """Return how this study was done, step by step."""
    steps = [
        Step("Split", _split(comparison)),
        *([Step("Search", _search(comparison))] if comparison.searches else []),
        Step("Train", _train(comparison)),
        Step("Select", _select(comparison)),
        *([] if comparison.race is None else [Step("Race", _race(comparison.race))]),
        Step("Open", _open(comparison)),
        Step("Compare", _compare(comparison)),
        Step("Recommend", _recommend(comparison)),
    ]
    if comparison.folded:
        steps.append(Step("Ship", _ship(comparison)))
    if comparison.baselines:
        steps.append(Step("Baselines", _baselines(comparison)))
    return steps


def _split(comparison: Comparison) -> str:
    data = comparison.data
    shape = " × ".join(str(side) for side in data.get("input_shape", ()))
    if comparison.folded:
        return _folds(comparison) + _duplicates(comparison, "across the folds")
    shared = of_first(comparison) or "every model saw the same split"
    text = (
        f"{counted(data.get('train', 0), 'image')} of {data.get('name')} for training, "
        f"{data.get('validation', 0):,} for validation, {data.get('test', 0):,} for testing "
        f"({counted(len(comparison.class_names), 'class', 'classes')}"
        f"{f', {shape} values an image' if shape else ''}); {shared}."
    )
    if data.get("maximum"):
        text += f" Networks got {about_pixels(data['maximum'])}."
    return text + _duplicates(comparison, "across the parts")


def _folds(comparison: Comparison) -> str:
    data = comparison.data
    validated = f" and validated on {data['validation']:,}" if data.get("validation") else ""
    return (
        f"Cross-validation: all {counted(data.get('test', 0), 'image')} of {data.get('name')} "
        f"({counted(len(comparison.class_names), 'class', 'classes')}) were divided into "
        f"{comparison.n_folds} folds, every class in proportion, {len(comparison.seeds)} times. "
        f"Each fold was the test part of one network, trained on about {data.get('train', 0):,} of "
        f"the others' images{validated}; every model saw the same folds."
    )


def _duplicates(comparison: Comparison, where: str) -> str:
    text = ""
    for kind, label in (("exact", "Exact duplicates"), ("near", "Near-duplicates")):
        counts = comparison.duplicates.get(kind, {})
        found = [
            counted(number, "image") if comparison.folded else f"{number:,} {part}"
            for part, number in counts.items()
            if number
        ]
        text += f" {label} {where}: {listed(found) if found else 'none'}."
    return text


def _train(comparison: Comparison) -> str:
    trials = sum(len(model.seeds) for model in comparison.models)
    models, folds = counted(len(comparison.models), "model"), comparison.n_folds
    if comparison.folded:
        return (
            f"{models}, {counted(len(comparison.seeds), 'repeat')} of {folds} folds: "
            f"{counted(trials * folds, 'network')}, each with a seed of its own, which fixes its "
            "initial weights, the order of its images, its dropout and augmentation. Epochs count "
            "from 0. A model's curve is the mean over the folds."
        )
    race, left = comparison.race, ""
    if race and race.dropped:
        dropped = counted(len(race.dropped), "model")
        left = f", and {race.trials - trials:,} of {dropped} that the race dropped"
    return (
        f"{models} with {seed_count(comparison)} "
        f"({seed_list(comparison.seeds)}): {counted(trials, 'trial')}{left}. A seed fixes a "
        "trial's initial weights, the order of its images, its dropout and augmentation. Epochs "
        "count from 0."
    )


def _select(comparison: Comparison) -> str:
    rules = dict.fromkeys(model.selection for model in comparison.models)
    rule = listed(
        (SELECTIONS.get(name, name) for name in rules or [comparison.selection]), last="or"
    )
    varied = ", as its study's recipe says" if len(rules) > 1 else ""
    return (
        f"Of each trial, the weights of {rule} were kept{varied}. The test images had no part "
        "in it: no training code can reach them."
    )


def _search(comparison: Comparison) -> str:
    budgets = listed(f"{each.model} {budget_words(each)}" for each in comparison.searches)
    return (
        f"Choices that models left open were made on the validation images alone: {budgets}. Each "
        "setting was trained once, on the training images, with a seed that is used for nothing "
        "else; the one with the highest validation accuracy was then trained with fresh seeds. No "
        "setting of a search met the test images."
    )


def _race(race: Race) -> str:
    return (
        f"After {listed(race.after)} seeds of every model the validation predictions were "
        "compared: a model shown to be worse than the leader by more than "
        f"{declared_points(race.delta)} points got no more seeds. The chance of dropping even one "
        "model that is as good stays below 5 % over all looks and models. Dropped: "
        f"{listed(m.name for m in race.dropped) or 'none'}."
    )


def _open(comparison: Comparison) -> str:
    opened = times(comparison.test_openings)
    text = f"The test set was opened {opened}, after the trials were done."
    if comparison.look is not None:
        after = listed(map(str, comparison.look.after))
        text = (
            f"Looks at the test set were declared before the first: after {after} seeds of each "
            f"model, until every pair is settled; a model of which all pairs are settled gets no "
            f"more seeds. This is {comparison.look.text}; the test set was opened {opened}."
        )
    if comparison.folded:
        text = (
            f"All images were opened {opened}, after the trials were done: every image was "
            "predicted once a repeat, by the network of the fold that left it out. The whole data "
            "set counts as seen from now on."
        )
    if comparison.unplanned_openings:
        text += " More openings than were declared before the first make the verdicts exploratory."
    if comparison.openings_elsewhere is None:
        text += " The ledger of your other studies could not be read."
    return text


def _compare(comparison: Comparison) -> str:
    text = (
        f"A model's accuracy is its mean over seeds and test images; every {INTERVAL} interval "
        "counts both as sources of chance (other images, other seeds), except where there is one "
        "seed: then Wilson's interval on the images alone."
    )
    if comparison.folded:
        text = (
            f"A model's accuracy is its mean over repeats and images; every {INTERVAL} interval "
            "counts other images and other networks as sources of chance. What networks differ by "
            "is told by the means of folds; the folds' accuracies are not pooled as if they were "
            f"independent. All numbers are of {trained_on(comparison)}."
        )
    unit = comparison.unit
    if any(pair.verdict for pair in comparison.pairs):
        text += (
            " Each pair of models is compared on the same images by a t-test with both sources; "
            f"over the {counted(len(comparison.pairs), 'pair')}, Holm's method holds the chance "
            f"of even one wrong better or worse{_over_looks(comparison)} to about 5 %. Practically "
            "equal is shown by two one-sided tests against "
            f"±{declared_points(comparison.margin)} points, adjusted the same way. All else is not "
            "separated, which is no claim of a tie."
        )
    elif any(pair.test for pair in comparison.pairs):
        text += (
            " Each pair of models is compared on the same images with both sources: the difference "
            f"has an interval, and there is no verdict below {FEWEST_SEEDS} {unit}s of each model."
        )
    elif comparison.pairs:
        one = "test image" if comparison.pairs[0].one_image else f"{unit} of a model"
        these = "the folds' networks" if comparison.folded else "two trained files"
        text += (
            f" With one {one} there are no verdicts about models: McNemar's exact test "
            f"compares {these}, and says nothing about training again."
        )
    return text


def _over_looks(comparison: Comparison) -> str:
    if comparison.look is None:
        return ""
    return f" at any of {len(comparison.look.after)} looks, of which each has its share,"


def _recommend(comparison: Comparison) -> str:
    order = comparison.order
    best, less, by = "smallest", "smaller", ""
    if order.by_time:
        best, less = "fastest", "faster"
        by = (
            " Prediction time is that of an image in a batch, measured while the test set was "
            f"opened; times that differ by less than {percent(EQUALLY_FAST, 0)} count as equal, "
            "and then the smaller model counts as the faster."
        )
    if order.missing:
        by = f" The recipe prefers time, but {order.missing}: models are ordered by parameters."
    chance = f"{100 * (1 - level_of(comparison.look)):.3g} %"  # at a look, its share of 5 %
    return (
        f"The {best} model that is shown to lose less than {declared_points(comparison.give_up)} "
        f"points to every other. The {chance} chance to err is shared out among those {less} than "
        "the one with the highest mean that are not shown to lose more, by what they save, and one "
        f"that passes hands its share on to the next {less}. Where none passes, the one with the "
        f"highest mean; the bound on what it may lose divides the {chance} by the number of the "
        f"others.{by}"
    )


def _ship(comparison: Comparison) -> str:
    which = "recommended model" if comparison.to_use else "leading model (none is recommended)"
    return (
        f"None of the folds' networks is the one to use. The {which} is trained once more, on all "
        "images, for the median of the epochs that they selected; nothing is left to test it on, "
        "so the numbers here stand for it, probably a little too low."
    )


def _baselines(comparison: Comparison) -> str:
    names = listed(baseline_in_words(each.name) for each in comparison.baselines)
    fitted = "the folds of the first repeat" if comparison.folded else "the training images"
    return (
        f"{names.capitalize()}, fitted to {fitted}: they have no seed, so they stand under the "
        f"table with Wilson's {INTERVAL} interval, in no pair, and are never recommended."
    )
