"""Which models a race drops: those shown, on validation images, to be worse than the leader.

A race looks a few times while models train. What it may get wrong is bounded over all its looks
and over all ordered pairs of models, so that an equal model is dropped in less than 5 % of studies
(in simulation: in at most 3 %, see tests/analysis/test_race.py). docs/tuning.md explains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from typing import Any

import numpy as np
import scipy  # and not its parts: see statistics.py
from numpy.typing import ArrayLike

from bakeoff.analysis.comparison import ModelResult
from bakeoff.analysis.race_outcome import DroppedModel, Race
from bakeoff.analysis.statistics import FEWEST_SEEDS, PairTest, compare_pair
from bakeoff.analysis.variance import decompose
from bakeoff.analysis.verdicts import ALPHA
from bakeoff.storage import race_looks
from bakeoff.storage.opened_study import OpenedStudy
from bakeoff.utils.numbers import mean_of_known


@dataclass(frozen=True)
class Standing:
    """How a model stands at one look of a race, on validation images.

    difference : the leader's mean accuracy minus this model's
    p : of "the leader is better by at most delta", one-sided; 1 for the leader itself
    """

    model: str
    accuracy: float
    difference: float
    p: float
    dropped: bool


def standings(
    correct: Mapping[str, ArrayLike], *, delta: float, level: float
) -> tuple[Standing, ...]:
    """Return how the models stand at a look, the leader first.

    Parameters
    ----------
    correct : by model, whether the same validation images are classified correctly, bool
        (n_seeds, n_images). A model with fewer than FEWEST_SEEDS seeds is not dropped.
    delta : a model is dropped only where it is shown to be worse by more than this.
    level : what p must be below; see `level_of_a_look`.

    Notes
    -----
    With D, V and df of `compare_pair`: t = (D − delta)/√V, p = P(T_df > t).
    """
    parts = {name: decompose(each) for name, each in correct.items()}
    leader = max(parts, key=lambda name: parts[name].mean)
    found = []
    for name, each in parts.items():
        p = 1.0
        if name != leader and min(each.n_seeds, parts[leader].n_seeds) >= FEWEST_SEEDS:
            p = worse_by_more_than(compare_pair(parts[leader], each), delta)
        difference = parts[leader].mean - each.mean
        found.append(Standing(name, each.mean, difference, p, p < level))
    return tuple(sorted(found, key=lambda each: (each.difference, each.model != leader)))


def level_of_a_look(models: int, looks: int, *, spent: float = 0.0) -> float:
    """Return what p must be below: ALPHA shared out over all looks and all ordered pairs.

    spent : of ALPHA by looks before; more than planned where a recipe had declared fewer looks
    """
    return max(0.0, min(ALPHA / looks, ALPHA - spent)) / _ordered_pairs(models)


def spent_before(looks: Sequence[Mapping[str, Any]], after: int) -> float:
    """Return how much of ALPHA looks (race.json) after another number of seeds have spent."""
    models: set[str] = set()
    spent: dict[int, float] = {}
    for look in looks:
        models |= {each["model"] for each in look["standings"]}
        spent[look["after"]] = look["level"] * _ordered_pairs(len(models))
    return fsum(share for seeds, share in spent.items() if seeds != after)


def _ordered_pairs(models: int) -> int:
    return max(1, models * (models - 1))


def worse_by_more_than(pair: PairTest, delta: float) -> float:
    """Return the p-value of "A is better than B by at most delta", one-sided."""
    if pair.df is None:
        return 1.0
    return float(scipy.special.stdtr(pair.df, -(pair.difference - delta) / sqrt(pair.variance)))


# ── what a race came to ──────────────────────────────────────────────────────────────────────


def raced(
    studies: Sequence[OpenedStudy],
    names: Sequence[Mapping[str, str]],
    models: Sequence[ModelResult],
) -> Race | None:
    """Return what the races of some studies came to; None where no study had one.

    Trials of studies without a race do not count: nothing could be saved there.

    names : for each study, what its models are called
    models : of the table
    """
    racing = [study for study in studies if study.looks]
    if not racing:
        return None
    dropped = [
        _dropped(study, model, names_of[model], names_of)
        for study, names_of in zip(studies, names, strict=True)
        for model in study.dropped
    ]
    inside = {
        name
        for study, names_of in zip(studies, names, strict=True)
        if study.looks
        for name in names_of.values()
    }
    trained = [(len(m.seeds), m.seconds_per_trial) for m in models if m.name in inside]
    trained += [(len(model.seeds), model.seconds_per_trial) for model in dropped]
    known = [count * seconds for count, seconds in trained if seconds is not None]
    return Race(
        after=tuple(sorted({int(look["after"]) for study in racing for look in study.looks})),
        delta=max(float(look["delta"]) for study in racing for look in study.looks),
        dropped=tuple(sorted(dropped, key=lambda each: -float(np.mean(each.validation_accuracy)))),
        trials=sum(count for count, _ in trained),
        seconds=fsum(known) if len(known) == len(trained) else None,
    )


def _dropped(study: OpenedStudy, model: str, name: str, names: Mapping[str, str]) -> DroppedModel:
    look: Mapping[str, Any] = race_looks.dropped(study.looks)[model]
    standing = next(each for each in look["standings"] if each["model"] == model)
    documents = [document for document, _ in study.dropped[model]]
    seconds = mean_of_known([timing.get("seconds") for _, timing in study.dropped[model]])
    most = max(map(len, study.models.values()), default=0)  # looks may end sooner
    left = max(0, most - len(documents))
    return DroppedModel(
        name=name,
        study=study.recipe.name,
        parameters=documents[0]["parameters"] if documents else 0,
        seeds=tuple(document["seed"] for document in documents),
        validation_accuracy=tuple(
            float((document["validation"] or {}).get("accuracy", 0.0)) for document in documents
        )
        or (float(standing["accuracy"]),),
        seconds_per_trial=seconds,
        after=int(look["after"]),
        leader=names.get(look["leader"], look["leader"]),
        difference=float(standing["difference"]),
        p=float(standing["p"]),
        not_trained=left,
        saved_seconds=None if seconds is None else left * seconds,
    )
