"""Races against hand arithmetic, and simulated studies whose truth is known.

The simulation must show that an equal model is dropped in at most 3 % of studies, that final
verdicts are as often wrong as without a race, and that the truly best model is not lost. It has ten
models, ten seeds, looks after 3 and 5, 1,000 validation and 1,000 test images.
Cost: 3 s. Run, with the table of docs/tuning.md:

    .venv/bin/pytest tests/analysis/test_race.py -s
"""

import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri, stdtr

from bakeoff.analysis.race import level_of_a_look, raced, spent_before, standings
from bakeoff.analysis.statistics import compare_pair

MODELS, SEEDS, LOOKS, IMAGES, DELTA = 10, 10, (3, 5), 1000, 0.005
STUDIES = 120


def test_a_clearly_worse_model_is_dropped_by_hand(rng):
    good, bad = rng.random((3, 400)) < 0.95, rng.random((3, 400)) < 0.70
    found = standings({"bad": bad, "good": good}, delta=0.005, level=0.05 / 2)

    assert [each.model for each in found] == ["good", "bad"]
    pair = compare_pair(good, bad)
    t = (good.mean() - bad.mean() - 0.005) / np.sqrt(pair.variance)
    assert found[1].p == pytest.approx(stats.t.sf(t, pair.df))
    assert found[1].difference == pytest.approx(good.mean() - bad.mean())
    assert [each.dropped for each in found] == [False, True]
    assert found[0].p == 1.0


def test_nobody_is_dropped_with_two_seeds_or_by_less_than_delta(rng):
    good, bad = rng.random((2, 400)) < 0.99, rng.random((2, 400)) < 0.30
    assert not any(s.dropped for s in standings({"a": good, "b": bad}, delta=0.0, level=0.5))

    base = rng.random((5, 20_000)) < 0.9
    worse = base & (rng.random((1, 20_000)) > 0.003)  # worse for sure, by about 0.3 points
    beaten = {"a": base, "b": worse}
    assert standings(beaten, delta=0.0, level=0.01)[1].dropped
    assert not standings(beaten, delta=0.005, level=0.01)[1].dropped


def test_what_was_saved_is_what_the_survivors_were_trained():
    """All seeds that were declared counted, also where all was settled at the first look."""
    standing = {"model": "bad", "accuracy": 0.5, "difference": 0.4, "p": 0.001, "dropped": True}
    look = {"after": 3, "delta": 0.005, "leader": "good", "standings": [standing]}
    trials = [
        ({"parameters": 9, "seed": seed, "validation": {"accuracy": 0.5}}, {"seconds": 2.0})
        for seed in range(3)
    ]
    study = SimpleNamespace(
        recipe=SimpleNamespace(name="s", seeds=tuple(range(7))),
        models={"good": (None,) * 4},
        dropped={"bad": trials},
        looks=[look],
    )
    good = SimpleNamespace(name="good", seeds=tuple(range(4)), seconds_per_trial=2.0)
    other = SimpleNamespace(name="other", seeds=tuple(range(9)), seconds_per_trial=9.0)
    calm = SimpleNamespace(dropped={}, looks=[])  # a study without a race, which is compared, too
    names = [{"good": "good", "bad": "bad"}, {"other": "other"}]
    race = raced([study, calm], names, [good, other])
    assert (race.trials, race.not_trained, race.saved_share) == (7, 1, pytest.approx(1 / 8))


def test_equal_answers_are_no_reason_to_drop():
    same = np.ones((3, 50), bool)
    assert [s.p for s in standings({"a": same, "b": same}, delta=0.005, level=0.9)] == [1.0, 1.0]


def test_the_level_is_shared_by_looks_and_ordered_pairs():
    assert level_of_a_look(9, 2) == pytest.approx(0.05 / (2 * 9 * 8))
    assert level_of_a_look(1, 1) == 0.05


def test_looks_that_were_declared_later_share_what_is_left():
    """A race of one look that became one of two dropped equal models in up to 7.5 % of studies."""

    def look(after, level, *names):
        return {"after": after, "level": level, "standings": [{"model": name} for name in names]}

    first = look(3, 0.05 / 2, "a", "b")
    assert spent_before([first], 5) == 0.05 and spent_before([first], 3) == 0
    assert level_of_a_look(2, 2, spent=spent_before([first], 5)) == 0
    planned = [
        look(3, 0.05 / 2 / 6, "a", "b", "c"),
        look(5, 0.05 / 2 / 6, "a", "b"),
    ]  # c was dropped
    assert spent_before(planned, 7) == pytest.approx(0.05)
    assert level_of_a_look(3, 2, spent=spent_before(planned[:1], 5)) == pytest.approx(0.025 / 6)


@dataclass
class Simulated:
    equal_dropped: float  # studies in which a model as good as the best was dropped
    best_lost: float  # studies in which the best was
    false_claims: float  # studies with a final claim about two equal models
    false_without: float  # the same without a race
    saved: float  # share of the trials that were not trained


def _answers(rng, accuracies, seeds, images):
    """Right or wrong, bool (models, seeds, images): as tests/analysis/test_calibration.py draws."""
    scale = np.sqrt(1 + 0.35**2 + 0.35**2 + 0.04**2)
    shape = (len(accuracies), seeds, images)
    level = ndtri(accuracies)[:, None, None] * scale

    def normal(*size):
        return rng.standard_normal(size, dtype=np.float32)

    own = np.float32(0.35) * normal(len(accuracies), 1, images)
    noise = np.float32(0.35) * normal(*shape) + normal(images)
    return level + own + noise


def _p_values(correct):
    """Two-sided p of all pairs, shape (models, models): compare_pair's formulas, all at once."""
    _, s, n = correct.shape
    p, a = correct.mean(axis=1), correct.mean(axis=2)
    left = correct - p[:, None] - (a - a.mean(axis=1, keepdims=True))[:, :, None]
    residual = np.square(left).sum(axis=(1, 2)) / ((s - 1) * (n - 1))
    between = a.var(axis=1, ddof=1)
    centered = p - p.mean(axis=1, keepdims=True)
    gram = centered @ centered.T / (n - 1)
    v1 = (np.diag(gram)[:, None] + np.diag(gram) - 2 * gram) / n
    v2 = (between[:, None] + between) / s
    v3 = (residual[:, None] + residual) / (n * s)
    variance = v1 + np.maximum(0, v2 - v3)
    np.fill_diagonal(variance, 1)
    below = v1**2 / (n - 1) + (between[:, None] ** 2 + between**2) / s**2 / (s - 1)
    np.fill_diagonal(below, 1)
    df = np.clip(variance**2 / below, s - 1, 5 * (s - 1))
    mean = p.mean(axis=1)
    return 2 * stdtr(df, -np.abs(mean[:, None] - mean) / np.sqrt(variance))


def _claims(correct, accuracies):
    """Say whether Holm claims a difference between two equal models."""
    m = len(accuracies)
    if m < 2:
        return False
    i, j = np.triu_indices(m, 1)
    p = _p_values(correct)[i, j]
    order = np.argsort(p)
    failed = np.flatnonzero(p[order] * np.arange(len(p), 0, -1) >= 0.05)
    claimed = order[: failed[0] if len(failed) else len(p)]
    return bool((accuracies[i] == accuracies[j])[claimed].any())


def _simulate(accuracies, studies=STUDIES):
    rng = np.random.default_rng(20261126)
    accuracies = np.asarray(accuracies)
    best = accuracies.max()
    counts = np.zeros(5)
    level = level_of_a_look(MODELS, len(LOOKS))
    for _ in range(studies):
        seed = np.float32(0.04) * rng.standard_normal((MODELS, SEEDS, 1), dtype=np.float32)
        validation = _answers(rng, accuracies, LOOKS[-1], IMAGES) + seed[:, : LOOKS[-1]] > 0
        test = _answers(rng, accuracies, SEEDS, IMAGES) + seed > 0
        inside, saved = list(range(MODELS)), 0
        for after in LOOKS:
            correct = {k: validation[k, :after] for k in inside}
            found = standings(correct, delta=DELTA, level=level)
            out = {each.model for each in found if each.dropped}
            saved += len(out) * (SEEDS - after)
            inside = [k for k in inside if k not in out]
        dropped = [k for k in range(MODELS) if k not in inside]
        counts += (
            any(accuracies[k] == best for k in dropped),
            not any(accuracies[k] == best for k in inside),
            _claims(test[inside], accuracies[inside]),
            _claims(test, accuracies),
            saved / (MODELS * SEEDS),
        )
    return Simulated(*counts / studies)


def test_the_fast_formula_is_compare_pair(rng):
    correct = rng.random((3, 4, 200)) < np.array([0.9, 0.8, 0.85])[:, None, None]
    p = _p_values(correct)
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        assert p[a, b] == pytest.approx(compare_pair(correct[a], correct[b]).p)


TRUTHS = {
    "all equal": np.full(MODELS, 0.975),
    "graded to 5 points": 0.975 - np.linspace(0, 0.05, MODELS),
    "wide": np.array([0.975] * 5 + [0.95, 0.93, 0.9, 0.85, 0.8]),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_what_a_race_saves_and_what_it_gets_wrong(name):
    found = _simulate(TRUTHS[name])
    sys.stdout.write(
        f"\n{name}: {100 * found.saved:.1f} % of trials saved, an equal model dropped in "
        f"{100 * found.equal_dropped:.1f} %, the best lost in {100 * found.best_lost:.1f} %; false "
        f"final claims {100 * found.false_claims:.1f} %, without a race "
        f"{100 * found.false_without:.1f} % ({STUDIES} studies)\n"
    )
    assert found.equal_dropped <= 0.03
    assert found.best_lost == 0
    assert found.false_claims <= max(0.05, found.false_without + 0.02)
    if name != "all equal":
        assert found.saved > 0.1
