"""What a race did, in words.

Oracle: whole sentences. Cost: nothing. Run: pytest tests/report/words/test_about_race.py
"""

from dataclasses import replace
from types import SimpleNamespace

from bakeoff.analysis.race_outcome import DroppedModel, Race
from bakeoff.report.words.about_race import about_race, left, validation

DROPPED = DroppedModel(
    name="idle",
    study="s",
    parameters=10,
    seeds=(0, 1, 2),
    validation_accuracy=(0.25, 0.5, 0.75),
    seconds_per_trial=2.0,
    after=3,
    leader="good",
    difference=0.4,
    p=1e-6,
    not_trained=2,
    saved_seconds=4.0,
)


def race(*dropped, seconds=16.0):
    return Race(after=(3, 4), delta=0.005, dropped=dropped, trials=8, seconds=seconds)


def said(found, searches=()):
    return about_race(SimpleNamespace(race=found, searches=searches))


def test_without_a_race_nothing_is_said():
    assert said(None) == ""


def test_nobody_was_dropped():
    assert said(race()) == (
        "Race: after 3 and 4 seeds no model was shown, on validation, to be worse than the leader "
        "by more than 0.50 points, so none was dropped."
    )


def test_who_was_dropped_and_what_it_saved():
    assert (left(DROPPED), validation(DROPPED)) == ("dropped after 3 seeds", "50.00 %")
    expected = (
        "Race, looking after 3 and 4 seeds: idle (dropped after 3 seeds, 50.00 % on validation, "
        "good 40.00 points better, p < 0.001). Not tested, in no verdict: their test accuracy is "
        "not known. 2 trials of 10 saved"
    )
    assert said(race(DROPPED)) == f"{expected}, about 20 % of the training time."
    beside = "about 20 % of the training time, searches not counted."
    assert said(race(DROPPED), searches=(1,)) == f"{expected}, {beside}"
    unknown = race(replace(DROPPED, saved_seconds=None))
    assert said(unknown) == f"{expected}."
