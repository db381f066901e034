"""How often the recommendation errs, and how much smaller a model it finds, beside other rules.

The smaller models of a simulated study all lose a little more than `give_up`, so that choosing one
is wrong, or all models are equal, so that the smallest is right. `python -m benchmarks.calibration
recommendation` prints the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bakeoff.analysis.recommendation import Candidate, recommend
from bakeoff.analysis.statistics import PairTest, compare_all, one_sided_lower_bound
from bakeoff.analysis.variance import decompose
from benchmarks.simulated import ACCURACY, SEED, Rows, draw, rate

N_SEEDS, EFFECT = 5, 0.04
KNOWN = 10**6  # seeds: so many make a variance known

Tests = Mapping[tuple[str, str], PairTest]
Rule = Callable[[Sequence[Candidate], Tests, float], str]


def ours(models: Sequence[Candidate], tests: Tests, give_up: float) -> str:
    """Return what Bakeoff recommends."""
    return recommend(models, tests, give_up=give_up).model


def fixed_sequence(models: Sequence[Candidate], tests: Tests, give_up: float) -> str:
    """Return where a walk from the largest downwards stops, each bound at 5 %."""
    best = max(models, key=lambda each: (each.mean, -each.parameters))
    chosen = best
    for each in sorted(models, key=lambda each: -each.parameters):
        if each.parameters >= best.parameters:
            continue
        if one_sided_lower_bound(_test(tests, best, each)) > give_up:
            continue
        others = (_test(tests, each, other) for other in models if other is not each)
        if max(-one_sided_lower_bound(test) for test in others) >= give_up:
            break
        chosen = each
    return chosen.name


def smallest_alone(models: Sequence[Candidate], tests: Tests, give_up: float) -> str:
    """Return what version 0.1.0 chose: the smallest by its own bound against the best."""
    best = max(models, key=lambda each: (each.mean, -each.parameters))
    good = [
        each
        for each in models
        if each.parameters < best.parameters
        and -one_sided_lower_bound(_test(tests, each, best)) < give_up
    ]
    return min([best, *good], key=lambda each: each.parameters).name


RULES: dict[str, Rule] = {
    "shares": ours,
    "fixed sequence": fixed_sequence,
    "0.1.0": smallest_alone,
}


def recommendation(share: float) -> Rows:
    """Five seeds; smaller models lose 1.02·give_up each (choosing one is wrong), or nothing.

    *Shares* is Bakeoff's rule, *known* the same with the true variances in place of those that five
    seeds show.
    """
    head = ["images", "give_up, points", "models", "studies", "rule", "wrongly chosen"]
    yield [*head, "of it the highest mean", "equal: at most half the size", "the smallest"]
    for n_images, give_up, most in ((360, 0.02, 1000), (1000, 0.02, 300), (10_000, 0.005, 400)):
        for count in (3, 10, 30):
            studies = max(2, round(share * most))
            edge = choices(n_images, give_up, count, studies, loss=1.02 * give_up)
            equal = choices(n_images, give_up, count, studies, loss=0.0)
            for rule, (chosen, highest) in edge.items():
                wrong, alike = chosen != 0, equal[rule][0]
                yield [
                    f"{n_images:,}", f"{100 * give_up:.1f}", count, studies, rule,
                    rate(int(wrong.sum()), studies),
                    rate(int((wrong & (chosen == highest)).sum()), studies),
                    rate(int((alike >= count / 2).sum()), studies),
                    rate(int((alike == count - 1).sum()), studies),
                ]  # fmt: skip


def choices(
    n_images: int, give_up: float, count: int, studies: int, *, loss: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return which model each rule chose in each study, and which had the highest mean."""
    rng = np.random.default_rng(SEED)
    accuracies = [ACCURACY] + [ACCURACY - loss] * (count - 1)
    known = _known_variances(n_images, accuracies[:3])
    found: dict[str, list[tuple[int, int]]] = {}
    for _ in range(studies):
        models = draw(rng, accuracies, n_images, [N_SEEDS] * count, effect=EFFECT)
        parts = {str(k): decompose(each) for k, each in enumerate(models)}
        tests = compare_all(parts)
        candidates = [
            Candidate(name, 1000 * (count - int(name)), each.mean) for name, each in parts.items()
        ]
        best = int(max(candidates, key=lambda each: (each.mean, -each.parameters)).name)
        for rule, choose in RULES.items():
            chosen = int(choose(candidates, tests, give_up))
            found.setdefault(rule, []).append((chosen, best))
        sure = {names: _with_variance(test, known["0" in names]) for names, test in tests.items()}
        found.setdefault("shares, known", []).append((int(ours(candidates, sure, give_up)), best))
    return {rule: (np.array(each)[:, 0], np.array(each)[:, 1]) for rule, each in found.items()}


def _known_variances(n_images: int, accuracies: Sequence[float]) -> dict[bool, float]:
    """Return the mean variance of a difference, of pairs with the largest model and of others."""
    rng = np.random.default_rng(SEED + 1)
    variances: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(200 if n_images < 1000 else 50):
        drawn = draw(rng, accuracies, n_images, [N_SEEDS] * 3, effect=EFFECT)
        tests = compare_all({str(k): decompose(each) for k, each in enumerate(drawn)})
        for names, test in tests.items():
            variances["0" in names].append(test.variance)
    return {largest: float(np.mean(each)) for largest, each in variances.items()}


def _with_variance(test: PairTest, variance: float) -> PairTest:
    nothing = (0.0, 0.0)
    return replace(
        test, v1=variance, between_seeds=nothing, residual=nothing, seeds_a=KNOWN, seeds_b=KNOWN
    )


def _test(tests: Tests, a: Candidate, b: Candidate) -> PairTest:
    found = tests.get((a.name, b.name))
    return found if found else tests[b.name, a.name].flipped()
