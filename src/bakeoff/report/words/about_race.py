"""What a race did, in words: whom it dropped, with what is known of them, and what it saved."""

from __future__ import annotations

import numpy as np

from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.race_outcome import DroppedModel
from bakeoff.utils.text import counted, declared_points, listed, p_value, percent, points


def left(model: DroppedModel) -> str:
    """Return when a model was dropped: "dropped after 3 seeds"."""
    return f"dropped after {counted(model.after, 'seed')}"


def validation(model: DroppedModel) -> str:
    """Return a dropped model's mean accuracy on the validation images."""
    return percent(float(np.mean(model.validation_accuracy)))


def about_race(comparison: Comparison) -> str:
    """Return what the race did, in a few sentences; "" where there was none."""
    race = comparison.race
    if race is None:
        return ""
    looks = listed(race.after)
    if not race.dropped:
        return (
            f"Race: after {looks} seeds no model was shown, on validation, to be worse than the "
            f"leader by more than {declared_points(race.delta)} points, so none was dropped."
        )
    names = listed(
        f"{model.name} ({left(model)}, {validation(model)} on validation, {model.leader} "
        f"{points(model.difference)} points better, p {p_value(model.p)})"
        for model in race.dropped
    )
    saved = f"{counted(race.not_trained, 'trial')} of {race.trials + race.not_trained:,} saved"
    if race.saved_share is not None:
        beside = ", searches not counted" if comparison.searches else ""
        saved += f", about {100 * race.saved_share:.0f} % of the training time{beside}"
    return (
        f"Race, looking after {looks} seeds: {names}. Not tested, in no verdict: their test "
        f"accuracy is not known. {saved}."
    )
