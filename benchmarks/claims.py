"""How often what the recommendation says is wrong, where the highest mean is recommended too.

The smaller models of a simulated study all lose a little more than `give_up`, or all models are
equal. `python -m benchmarks.calibration claims` prints the table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.other_recommendations import shares, studies_of
from benchmarks.simulated import ACCURACY, Rows, rate

# images, give_up
SIZES = ((360, 0.02), (360, 0.005), (10_000, 0.005))
STUDIES = {360: {3: 600, 10: 600, 30: 300}, 10_000: {3: 300, 10: 300, 30: 150}}


@dataclass(frozen=True, eq=False)
class Claims:
    """What was recommended in each of many studies, arrays of shape (studies,).

    loss : what the recommended model truly loses to the best
    said : what it is said to lose at most: `give_up`, or the bound where that is larger
    highest : whether it is the one with the highest mean
    size : its size, that of the largest being 1
    """

    loss: NDArray[np.float64]
    said: NDArray[np.float64]
    highest: NDArray[np.bool_]
    size: NDArray[np.float64]


def claims_of(
    n_images: int, give_up: float, count: int, studies: int, *, loss: float, effect: float
) -> Claims:
    """Return what is said in studies of a largest model and smaller ones that lose `loss`."""
    lost = np.where(np.arange(count), loss, 0.0)
    sizes = 1000.0 * (count - np.arange(count, dtype=np.float64))
    drawn = studies_of([ACCURACY - each for each in lost], n_images, give_up, effect, studies)
    chosen = np.array([shares(study, sizes) for study in drawn])
    highest = chosen == [study.best for study in drawn]
    bounds = np.where(highest, [study.bound for study in drawn], 0.0)
    return Claims(lost[chosen], np.maximum(give_up, bounds), highest, sizes[chosen] / sizes[0])


def claims(share: float) -> Rows:
    """Five seeds; smaller models lose 1.02·give_up each, or nothing.

    *Loses more than give_up* counts recommended models that truly do, *than is said* those that
    lose more than the bound that stands beside them too.
    """
    yield [
        *("images", "give_up, points", "models", "seed effect", "studies"),
        *("loses more than give_up", "than is said", "said at most, points"),
        *("equal: shown to lose less than give_up", "said at most, points"),
        "at most half the size",
    ]
    for n_images, give_up in SIZES:
        for count, most in STUDIES[n_images].items():
            studies = max(2, round(share * most))
            for effect in (0.04, 0.2):
                edge, equal = (
                    claims_of(n_images, give_up, count, studies, loss=loss, effect=effect)
                    for loss in (1.02 * give_up, 0.0)
                )
                counts = (
                    *(edge.loss > give_up, edge.loss > edge.said),
                    *(equal.said <= give_up, equal.size <= 0.5),
                )
                before, after, shown, half = (rate(int(each.sum()), studies) for each in counts)
                yield [
                    *(f"{n_images:,}", f"{100 * give_up:.1f}", count, effect, studies),
                    *(before, after, _median(edge), shown, _median(equal), half),
                ]


def _median(found: Claims) -> str:
    return f"{100 * np.median(found.said):.2f}"
