"""How a study was done, with its own numbers.

Oracle: the study's numbers. Cost: 3 s.

Run: pytest tests/report/words/test_protocol_steps.py
"""

from dataclasses import replace
from types import SimpleNamespace

from bakeoff.analysis.verdicts import Look
from bakeoff.report.words.protocol_steps import protocol


def test_the_protocol_carries_this_studys_numbers(study):
    steps = {step.name: step.text for step in protocol(study)}
    assert list(steps) == ["Split", "Train", "Select", "Open", "Compare", "Recommend", "Baselines"]
    assert steps["Split"].startswith(
        "4,000 images of digits for training, 1,000 for validation, 4,000 for testing (10 classes"
    )
    assert "3 models with 3 seeds (seeds 0–2): 9 trials." in steps["Train"]
    assert "lowest validation loss" in steps["Select"]
    assert "opened once" in steps["Open"]
    assert (  # as measured, which is a little more in places: docs/statistics.md
        "over the 3 pairs, Holm's method holds the chance of even one wrong better or worse to "
        "about 5 %."
    ) in steps["Compare"]
    assert "±0.20 points" in steps["Compare"]
    assert "less than 1.00 points" in steps["Recommend"]


def test_where_time_counts_the_protocol_says_how(study, timed):
    steps = {step.name: step.text for step in protocol(timed)}
    assert steps["Recommend"] == (
        "The fastest model that is shown to lose less than 1.00 points to every other. The 5 % "
        "chance to err is shared out among those faster than the one with the highest mean that "
        "are not shown to lose more, by what they save, and one that passes hands its share on to "
        "the next faster. Where none passes, the one with the highest mean; the bound on what it "
        "may lose divides the 5 % by the number of the others. Prediction time is that of an image "
        "in a batch, measured while the test set was opened; times that differ by less than 10 % "
        "count as equal, and then the smaller model counts as the faster."
    )
    unknown = replace(study, order=replace(study.order, prefer="time", missing="nobody looked"))
    assert {step.name: step.text for step in protocol(unknown)}["Recommend"].endswith(
        " The recipe prefers time, but nobody looked: models are ordered by parameters."
    )


def test_where_there_is_no_verdict_no_method_for_verdicts_is_named(study):
    """Two seeds: there are differences with intervals."""
    pairs = tuple(replace(pair, verdict=None, p_holm=None) for pair in study.pairs)
    steps = {step.name: step.text for step in protocol(replace(study, pairs=pairs))}
    assert steps["Compare"].endswith(
        " Each pair of models is compared on the same images with both sources: the difference has "
        "an interval, and there is no verdict below 3 seeds of each model."
    )


def test_trials_of_dropped_models_were_trained_too(study):
    dropped = (SimpleNamespace(name="idle"),)
    race = SimpleNamespace(after=(3,), delta=0.005, dropped=dropped, trials=12)
    steps = {step.name: step.text for step in protocol(replace(study, race=race))}
    assert steps["Train"].startswith(
        "3 models with 3 seeds (seeds 0–2): 9 trials, and 3 of 1 model that the race dropped. A "
    )


def test_what_is_shipped_is_called_recommended_only_where_it_is(study):
    folds = replace(study, data={**study.data, "folds": 5})
    none = replace(folds, headline=replace(study.headline, case="cannot say"))
    for comparison, which in ((folds, "recommended model is"), (none, "leading model (none is")):
        assert f"The {which} " in {s.name: s.text for s in protocol(comparison)}["Ship"]


def test_folds_are_said_to_be_validated_only_where_they_were(study):
    folds = replace(study, data={**study.data, "folds": 5})
    assert "others' images and validated on 1,000; every" in protocol(folds)[0].text
    none = replace(study, data={**folds.data, "validation": 0})
    assert "others' images; every model saw" in protocol(none)[0].text


def test_at_one_of_two_looks_the_recommendation_has_half_the_chance_to_err(study):
    looking = replace(study, look=Look(2, (2, 3)))
    text = {step.name: step.text for step in protocol(looking)}["Recommend"]
    assert "The 2.5 % chance to err is shared out" in text
    assert "divides the 2.5 % by the number of the others." in text
