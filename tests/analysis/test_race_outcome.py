"""What a race saved.

Oracle: by hand. Cost: nothing. Run: pytest tests/analysis/test_race_outcome.py
"""

import pytest

from bakeoff.analysis.race_outcome import DroppedModel, Race


def dropped(name, *, not_trained, saved_seconds):
    return DroppedModel(
        name, "study", 100, (0, 1, 2), (0.8, 0.8, 0.8), 2.0, 3, "best", 0.1, 0.001,
        not_trained, saved_seconds,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("saved", "seconds", "share"),
    [
        ([14.0, 6.0], 60.0, 0.25),
        ([14.0, None], 60.0, None),  # one has no clock
        ([14.0, 6.0], None, None),
        ([], 60.0, 0.0),
        ([], 0.0, None),
    ],
)
def test_what_was_saved(saved, seconds, share):
    gone = tuple(
        dropped(str(number), not_trained=7 - number, saved_seconds=each)
        for number, each in enumerate(saved)
    )
    race = Race(after=(3, 5), delta=0.0, dropped=gone, trials=30, seconds=seconds)
    assert race.not_trained == sum(7 - number for number in range(len(saved)))
    assert race.saved_share == share
