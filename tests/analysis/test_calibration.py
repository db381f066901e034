"""How often the tests err: simulated studies of two models whose truth is known.

The oracle is the nominal rate. A simulated image has a difficulty that both models feel, a part
that each model feels on its own, and noise in each trial; a seed moves all images of its trial.
Both models are correct on 97.5 % of all images there could be (except where the truth is a loss),
so every claim that one is better is false. Four tests are tried on the same studies:

    this test         compare_pair: images and seeds both vary
    Welch             Welch's t-test on the seeds' accuracies: as if these images were all images
    McNemar           exact, on the first seed of each: as if these files were the models
    pooled McNemar    exact, on all seeds' answers laid end to end: as if each were a new image

Cost: 15 s of CPU. Run, with the tables of docs/statistics.md:

    .venv/bin/pytest tests/analysis/test_calibration.py -s
"""

import sys
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import ndtri, stdtr

from bakeoff.analysis.estimates import estimate, estimate_balanced, estimate_loss
from bakeoff.analysis.recommendation import Candidate, recommend
from bakeoff.analysis.statistics import (
    compare_all,
    compare_pair,
    mcnemar_exact,
    one_sided_lower_bound,
    tost_p,
)
from bakeoff.analysis.variance import decompose
from benchmarks import (
    calibration,
    claims,
    other_recommendations,
    recommending,
    seed_pool,
    simulated,
)

ACCURACY = 0.975
SEED_EFFECT = 0.04
OWN_PART = 0.35  # of an image's difficulty, for a model; the shared part is 1
TRIAL_NOISE = 0.35


@dataclass(frozen=True)
class Setting:
    n_images: int
    n_seeds: int
    seed_effect: float
    studies: int


SETTINGS = [
    Setting(n_images, n_seeds, seed_effect, studies)
    for n_images, n_seeds, studies in [(360, 5, 1000), (360, 10, 1000), (10_000, 5, 400)]
    for seed_effect in [0, SEED_EFFECT]
]


def draw_study(rng, setting, accuracies, *, own=OWN_PART, noise=TRIAL_NOISE):
    """Correct or wrong of two models with these true accuracies, bool (n_seeds, n_images) each."""
    n_seeds, n_images = setting.n_seeds, setting.n_images
    scale = np.sqrt(1 + own**2 + noise**2 + setting.seed_effect**2)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    shared = normal(n_images)
    return [
        ndtri(accuracy) * scale
        + shared
        + np.float32(own) * normal(n_images)
        + np.float32(setting.seed_effect) * normal(n_seeds, 1)
        + np.float32(noise) * normal(n_seeds, n_images)
        > 0
        for accuracy in accuracies
    ]


def test_the_simulated_models_are_like_real_ones():
    rng = np.random.default_rng(20261121)
    spread = {}
    for effect in [0, SEED_EFFECT]:
        model, _ = draw_study(rng, Setting(10_000, 100, effect, 1), (ACCURACY, ACCURACY))
        spread[effect] = 100 * model.mean(axis=1).std(ddof=1)
    apart = 100 * np.mean(model[::2] != model[1::2])
    sys.stdout.write(
        f"\n\nTwo seeds disagree on {apart:.1f} % of the images; their accuracies on 10,000 images "
        f"have a standard deviation of {spread[0]:.2f} points, {spread[SEED_EFFECT]:.2f} with the "
        "seed effect\n"
    )
    assert 1.5 < apart < 2.5
    assert 0.05 < spread[0] < 0.15 < spread[SEED_EFFECT] < 0.3


def welch_p(a, b) -> float:
    a, b = a.mean(axis=1), b.mean(axis=1)
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if va + vb == 0:
        return 1.0
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return float(2 * stdtr(df, -abs(a.mean() - b.mean()) / np.sqrt(va + vb)))


FEW = 300  # studies are enough to show that another test errs
OTHERS = {
    "Welch": welch_p,
    "McNemar": lambda a, b: mcnemar_exact(a[0], b[0]).p,
    "pooled McNemar": lambda a, b: mcnemar_exact(a.ravel(), b.ravel()).p,
}


def show(title, header, rows):
    """Print a Markdown table, for whoever runs this file with -s."""
    lines = [header, ["---"] * len(header), *rows]
    table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    sys.stdout.write(f"\n\n{title}\n\n{table}\n")


def percent(share) -> str:
    return f"{100 * share:.1f} %"


@pytest.fixture(scope="module")
def false_positives():
    """Share of studies with p < 0.05, by setting and test, and coverage of one model's interval."""
    found = {}
    for setting in SETTINGS:
        rng = np.random.default_rng(20261121)
        claims = dict.fromkeys(["this test", *OTHERS, "coverage"], 0)
        for study in range(setting.studies):
            a, b = draw_study(rng, setting, (ACCURACY, ACCURACY))
            claims["this test"] += compare_pair(a, b).p < 0.05
            interval = estimate(a)
            claims["coverage"] += interval.low <= ACCURACY <= interval.high
            for name, test in OTHERS.items() if study < FEW else ():
                claims[name] += test(a, b) < 0.05
        of = {name: FEW if name in OTHERS else setting.studies for name in claims}
        found[setting] = {name: count / of[name] for name, count in claims.items()}
    show(
        "False positives at a nominal 5 %; coverage of one model's 95 % interval",
        ["images", "seeds", "seed effect", "studies", "this test", *OTHERS, "coverage"],
        [
            [
                f"{setting.n_images:,}",
                setting.n_seeds,
                "yes" if setting.seed_effect else "no",
                f"{setting.studies:,}",
                *map(percent, rates.values()),
            ]
            for setting, rates in found.items()
        ],
    )
    return found


def test_this_test_is_calibrated(false_positives):
    for setting, rates in false_positives.items():
        assert 0.01 <= rates["this test"] <= 0.07, setting


def test_intervals_of_one_model_cover_its_accuracy(false_positives):
    for setting, rates in false_positives.items():
        assert rates["coverage"] > 0.93, setting


def test_welch_takes_these_images_for_all_images(false_positives):
    for setting, rates in false_positives.items():
        if not setting.seed_effect:
            assert rates["Welch"] > 0.10, setting


def test_mcnemar_takes_these_files_for_the_models(false_positives):
    for setting, rates in false_positives.items():
        if setting.seed_effect and setting.n_images == 10_000:
            assert rates["McNemar"] > 0.10, setting
        assert rates["pooled McNemar"] > 0.10, setting


# Models that differ by exactly the margin: each claim that they differ by less is false.
# "alike": trained files that agree on nearly every image, where Student's t is at its worst.
LOSSES = [
    (n_images, studies, loss, kind, own, noise)
    for n_images, studies, loss in [(360, 1000, 0.005), (360, 1000, 0.02), (10_000, 250, 0.002)]
    for kind, own, noise in [("usual", OWN_PART, TRIAL_NOISE), ("alike", 0.05, 0.05)]
]


@pytest.fixture(scope="module")
def false_equalities():
    found = {}
    for n_images, studies, loss, kind, own, noise in LOSSES:
        setting = Setting(n_images, 5, 0.02, studies)
        rng = np.random.default_rng(20261121)
        shown_small = shown_equal = 0
        for _ in range(studies):
            a, b = draw_study(rng, setting, (ACCURACY - loss, ACCURACY), own=own, noise=noise)
            pair = compare_pair(a, b)
            shown_small += one_sided_lower_bound(pair) > -loss
            shown_equal += tost_p(pair, loss) < 0.05
        found[n_images, studies, loss, kind] = shown_small / studies, shown_equal / studies
    show(
        "A truly loses as much as the limit: how often it is shown to lose less (nominal 5 %)",
        ["images", "studies", "limit, points", "models", "one-sided bound", "practically equal"],
        [
            [f"{n:,}", f"{studies:,}", f"{100 * loss:.1f}", kind, *map(percent, rates)]
            for (n, studies, loss, kind), rates in found.items()
        ],
    )
    return found


def test_claims_of_equality_err_as_seldom_as_they_say(false_equalities):
    for (n_images, _, _, kind), (bound, equal) in false_equalities.items():
        limit = 0.08
        assert bound < limit, (n_images, kind)
        assert equal < limit, (n_images, kind)


# --- many models, few seeds; the tables of `python -m benchmarks.calibration` in small ---


def rate(studies, happens):
    rng = np.random.default_rng(20261126)
    return sum(happens(rng) for _ in range(studies)) / studies


@pytest.mark.parametrize(("models", "seeds", "effect"), [(10, 3, 0.04), (10, 3, 0.2), (5, 5, 0.2)])
def test_families_of_equal_models_make_few_claims(models, seeds, effect):
    def claims(rng):
        drawn = calibration.draw(rng, [ACCURACY] * models, 360, [seeds] * models, effect=effect)
        return calibration.any_claim(drawn)

    assert rate(100, claims) <= 0.07


def test_many_models_with_three_seeds_make_few_claims_where_seeds_matter_most():
    """Thirty models of which some look steady by luck: without LEAST_SHARE, 13 % of studies."""

    def claims(rng):
        drawn = calibration.draw(rng, [ACCURACY] * 30, 3000, [3] * 30, effect=0.3)
        return calibration.any_claim(drawn)

    assert rate(60, claims) <= 0.07


def test_the_recommended_model_rarely_loses_more_than_it_may():
    """Nine smaller models at the edge of `give_up`, or equal to the largest; four rules."""
    edge = recommending.choices(360, 0.02, 10, 60, loss=0.0204)
    wrong = {rule: float((chosen != 0).mean()) for rule, (chosen, _) in edge.items()}
    assert wrong["shares"] <= 0.07 < wrong["0.1.0"]
    equal = recommending.choices(360, 0.02, 10, 40, loss=0.0)
    smaller = {rule: float((chosen >= 5).mean()) for rule, (chosen, _) in equal.items()}
    assert smaller["fixed sequence"] < smaller["shares"] <= smaller["0.1.0"]


@pytest.mark.parametrize(("models", "studies"), [(3, 200), (10, 120)])
def test_what_the_recommendation_says_is_rarely_wrong_where_seeds_matter_most(models, studies):
    """The highest mean itself is often a model that loses too much; it is not said to lose less."""
    edge = claims.claims_of(360, 0.02, models, studies, loss=0.0204, effect=0.2)
    assert np.mean(edge.loss > edge.said) <= 0.07 < np.mean(edge.loss > 0.02)
    equal = claims.claims_of(360, 0.02, models, 60, loss=0.0, effect=0.04)
    assert np.mean(equal.said <= 0.02) > 0.7


def test_other_rules_are_tried_on_the_same_bounds():
    rng, sizes = np.random.default_rng(5), 1000.0 * (6 - np.arange(6))
    chosen = []
    for lost in (0.0, 0.0, 0.0, 0.004, 0.01, 0.0204):
        accuracies = [ACCURACY] + [ACCURACY - lost] * 5
        models = calibration.draw(rng, accuracies, 360, [5] * 6, effect=SEED_EFFECT)
        study = other_recommendations.reduced(models, 0.02, rng)
        chosen.append(other_recommendations.shares(study, sizes))
        tests = compare_all({str(k): decompose(each) for k, each in enumerate(models)})
        means = [float(each.mean()) for each in models]
        candidates = [Candidate(str(k), int(sizes[k]), mean) for k, mean in enumerate(means)]
        found = recommend(candidates, tests, give_up=0.02)
        assert found.model == str(chosen[-1])
        if found.model == str(study.best):
            assert found.loses_at_most == pytest.approx(study.bound)
    assert len(set(chosen)) > 2


def test_hommel_s_procedure_by_hand():
    """Of the first, p ≤ 0.05/2 pass (0.015 is below 0.05/3); all where none is above 0.05."""

    def passes(*p):
        levels = np.array([0.0, *p])
        study = other_recommendations.Study(0, np.arange(1, len(levels)), levels, levels, 0.0, 0.0)
        return other_recommendations.hommel(study, levels)

    assert passes(0.015, 0.04, 0.06) == 1
    assert passes(0.04, 0.05, 0.03) == 3
    assert passes(0.2, 0.3, 0.4) == 0


@pytest.mark.parametrize(("models", "studies"), [(2, 200), (4, 40)])
def test_declared_looks_make_no_more_claims_than_one(models, studies):
    """Ever, at any of three looks; nominally at most 5 %, known to 1.5 and 3.4 points here."""

    def claims(rng):
        drawn = calibration.draw(rng, [ACCURACY] * models, 360, [20] * models, effect=0.2)
        return calibration.looks(drawn, (5, 10, 20))[0]

    assert rate(studies, claims) <= 0.05


def test_pairs_of_three_against_ten_seeds_make_few_claims():
    def claims(rng):
        return calibration.any_claim(
            calibration.draw(rng, [ACCURACY] * 2, 360, [3, 10], effect=SEED_EFFECT)
        )

    assert rate(400, claims) <= 0.07


@pytest.mark.parametrize(("n_images", "accuracy"), [(60, 0.9), (120, 0.99), (1000, 0.999)])
def test_intervals_hold_where_few_errors_are_expected(n_images, accuracy):
    def held(rng):
        (correct,) = calibration.draw(rng, [accuracy], n_images, [5], effect=SEED_EFFECT)
        found = estimate(correct)
        return found.low <= accuracy <= found.high

    assert rate(400, held) >= 0.93


def test_the_true_loss_is_that_of_very_many_images():
    many = simulated.losses(np.random.default_rng(1), ACCURACY, 200_000, 3, effect=SEED_EFFECT)
    truth = simulated.true_loss(ACCURACY, effect=SEED_EFFECT)
    assert many.mean() == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize(("n_images", "accuracy"), [(60, 0.975), (60, 0.99), (360, 0.975)])
def test_intervals_of_a_loss_hold_where_few_images_make_up_most_of_it(n_images, accuracy):
    """With 60 images there is often no mistake among them: without the added one 91 and 86 %."""
    truth = simulated.true_loss(accuracy, effect=SEED_EFFECT)

    def held(rng):
        found = estimate_loss(simulated.losses(rng, accuracy, n_images, 5, effect=SEED_EFFECT))
        return found.low <= truth <= found.high

    assert rate(300, held) >= 0.93


@pytest.fixture(scope="module")
def pool():
    return seed_pool.read()


def test_the_pool_holds_forty_seeds_of_real_networks(pool):
    assert {name: len(correct) for name, correct in pool.correct.items()} == {
        "convolution": 40, "narrow": 40, "wide": 40,
    }  # fmt: skip
    assert pool.n_images == 60_000
    assert seed_pool.POOL.stat().st_size < 2_000_000
    assert all(0.9 < correct.mean() < 0.98 for correct in pool.correct.values())


@pytest.mark.parametrize("n_seeds", [3, 10])
@pytest.mark.parametrize("name", ["narrow", "convolution"])
def test_real_networks_are_not_taken_to_differ_from_themselves(pool, name, n_seeds):
    def claims(rng):
        images = rng.choice(pool.n_images, 1000, replace=False)
        both = pool.draw(rng, name, images, 2 * n_seeds)
        return compare_pair(both[:n_seeds], both[n_seeds:]).p < 0.05

    assert rate(150, claims) <= 0.09  # 5 % and more than two standard errors


def test_real_networks_that_differ_are_told_apart(pool):
    def found(rng):
        images = rng.choice(pool.n_images, 1000, replace=False)
        a, b = (pool.draw(rng, name, images, 5) for name in ("convolution", "wide"))
        return compare_pair(a, b).p < 0.05

    assert rate(100, found) >= 0.9


def test_balanced_accuracy_s_interval_holds_for_classes_of_unequal_size(pool):
    correct, labels = pool.correct["convolution"], pool.labels
    truth = np.mean([correct[:, labels == k].mean() for k in range(10)])
    weights = 0.7 ** np.arange(10)
    sizes = np.maximum(2, np.round(360 * weights / weights.sum()).astype(int))
    of_class = [np.flatnonzero(labels == k) for k in range(10)]

    def held(rng):
        images = np.concatenate([rng.choice(of_class[k], sizes[k]) for k in range(10)])
        scores = pool.draw(rng, "convolution", images, 5)
        found = estimate_balanced(scores, labels[images])
        return found.low <= truth <= found.high

    assert rate(150, held) >= 0.93
