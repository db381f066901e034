"""How often Bakeoff's statistics err: its own functions on simulated studies whose truth is known.

    python -m benchmarks.calibration               every table of docs/statistics.md
    python -m benchmarks.calibration families      one of them
    python -m benchmarks.calibration --share 0.1   a tenth of the studies

Most studies are simulated (`benchmarks/simulated.py`); *pool* studies draw seeds and images from
real networks (`benchmarks/seed_pool.py`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from bakeoff.analysis.checks.study_design import flattery
from bakeoff.analysis.estimates import estimate, estimate_balanced, estimate_loss
from bakeoff.analysis.statistics import compare_all, compare_pair, differ_by_less_than, holm
from bakeoff.analysis.variance import decompose
from bakeoff.analysis.verdicts import ALPHA, Look, unsettled, verdicts
from benchmarks import seed_pool
from benchmarks.claims import claims
from benchmarks.other_recommendations import other_recommendations
from benchmarks.recommending import recommendation
from benchmarks.simulated import ACCURACY, SEED, Correct, Rows, draw, losses, rate, true_loss


def any_claim(models: Sequence[Correct]) -> bool:
    """Say whether any two of the models are called different: `verdicts` does so by Holm's p."""
    parts = {str(k): decompose(each) for k, each in enumerate(models)}
    p = holm([test.p for test in compare_all(parts).values()])
    return bool(p.min() < ALPHA)


def families(share: float) -> Rows:
    """Equal models, 360 images: studies in which any two are called different, nominally 5 %."""
    return _families(360, round(1000 * share))


def large_families(share: float) -> Rows:
    """Equal models, 10,000 images: studies in which any two are called different, nominally 5 %."""
    return _families(10_000, round(500 * share))


def _families(n_images: int, studies: int) -> Rows:
    yield ["images", "models", "seeds", "studies", "seed effect .04", "seed effect .2"]
    kinds = [(str(n), [n] * count) for count in (2, 5, 10, 30) for n in (3, 5, 10)]
    for said, seeds in [*kinds, ("3 and 10", [3, 10])]:
        found = []
        for effect in (0.04, 0.2):
            rng = np.random.default_rng(SEED)
            claims = sum(
                any_claim(draw(rng, [ACCURACY] * len(seeds), n_images, seeds, effect=effect))
                for _ in range(max(2, studies))
            )
            found.append(rate(claims, max(2, studies)))
        yield [f"{n_images:,}", len(seeds), said, max(2, studies), *found]


def unstable(share: float) -> Rows:
    """Ten equal models, 3,000 images, 5 seeds, one with ten times the others' seed effect of .04.

    Studies in which any two are called different, with each model's own variance between seeds, as
    Bakeoff has it (LEAST_SHARE), and with that of all models pooled.
    """
    yield ["unstable", "studies", "own variances", "with the least share", "pooled"]
    studies = max(2, round(400 * share))
    for one in (False, True):
        rng = np.random.default_rng(SEED)
        found = [0, 0, 0]
        for _ in range(studies):
            models = draw(rng, [ACCURACY] * 10, 3000, [5] * 10, effect=0.04)
            if one:
                models[3] = draw(rng, [ACCURACY], 3000, [5], effect=0.4)[0]
            parts = {str(k): decompose(each) for k, each in enumerate(models)}
            mean = float(np.mean([each.between_seeds for each in parts.values()]))
            pooled = {k: replace(each, between_seeds=mean) for k, each in parts.items()}
            own = [compare_pair(parts[a], parts[b]) for a, b in combinations(parts, 2)]
            for k, tests in enumerate(
                (own, compare_all(parts).values(), compare_all(pooled).values())
            ):
                found[k] += bool(holm([test.p for test in tests]).min() < ALPHA)
        yield ["one" if one else "none", studies, *(rate(each, studies) for each in found)]


def highest(share: float) -> Rows:
    """Equal models, five seeds: how much too high the highest mean is, and what a finding says."""
    yield ["images", "models", "studies", "seed effect", "too high by, points", "said"]
    for n_images, effect, most in ((360, 0.04, 300), (10_000, 0.04, 60), (10_000, 0.2, 60)):
        for count in (5, 10, 30):
            studies = max(2, round(share * most))
            rng = np.random.default_rng(SEED)
            real, said = [], []
            for _ in range(studies):
                models = draw(rng, [ACCURACY] * count, n_images, [5] * count, effect=effect)
                parts = {str(k): decompose(each) for k, each in enumerate(models)}
                means = [each.mean for each in parts.values()]
                real.append(max(means) - np.mean(means))
                variance = np.mean([test.variance for test in compare_all(parts).values()])
                said.append(flattery(count, float(np.sqrt(variance / 2))))
            error = 100 * np.std(real) / np.sqrt(studies)
            yield [
                f"{n_images:,}", count, studies, effect,
                f"{100 * np.mean(real):.2f} ± {error:.2f}", f"{100 * np.mean(said):.2f}",
            ]  # fmt: skip


def coverage(share: float) -> Rows:
    """How often 95 % intervals of one model hold the truth, and their median width in points."""
    yield ["of", "images", "accuracy", "seeds", "studies", "holds", "width", "width of 0.1.0"]
    yield from _accuracies_held(share)
    yield from _losses_held(share)
    yield from _classes_held(share)


def _accuracies_held(share: float) -> Rows:
    for n_images, accuracy, n_seeds, most in (
        *((60, 0.9, 5, 2000), (120, 0.99, 10, 2000), (360, 0.975, 5, 2000), (360, 0.975, 10, 2000)),
        *((360, 0.99, 5, 2000), (1000, 0.999, 10, 1000), (10_000, 0.99, 3, 3000)),
        (10_000, 0.99, 10, 1000),
    ):
        studies = max(2, round(share * most))
        rng = np.random.default_rng(SEED)
        held, widths, plain = 0, [], []
        for _ in range(studies):
            (correct,) = draw(rng, [accuracy], n_images, [n_seeds], effect=0.04)
            found = estimate(correct)
            held += int(found.low <= accuracy <= found.high)
            widths.append(found.high - found.low)
            parts = decompose(correct)
            v2 = parts.between_seeds / n_seeds - parts.residual / n_images / n_seeds
            plain.append(2 * 1.96 * np.sqrt(parts.between_images / n_images + max(0.0, v2)))
        yield [
            "accuracy", f"{n_images:,}", f"{100 * accuracy:g} %", n_seeds, studies,
            rate(held, studies), f"{100 * np.median(widths):.2f}", f"{100 * np.median(plain):.2f}",
        ]  # fmt: skip


def _losses_held(share: float) -> Rows:
    for n_images, accuracy in product((60, 360, 1000, 10_000), (0.9, 0.975, 0.99)):
        studies = max(2, round(share * (1000 if n_images <= 1000 else 300)))
        rng = np.random.default_rng(SEED)
        truth = true_loss(accuracy, effect=0.04)
        held, widths = 0, []
        for _ in range(studies):
            found = estimate_loss(losses(rng, accuracy, n_images, 5, effect=0.04))
            held += int(found.low <= truth <= found.high)
            widths.append((found.high - found.low) / truth)
        yield [
            f"loss, {truth:.3f}", f"{n_images:,}", f"{100 * accuracy:g} %", 5, studies,
            rate(held, studies), f"{100 * np.median(widths):.0f} % of it", "",
        ]  # fmt: skip


def _classes_held(share: float) -> Rows:
    """Yield, of real networks, the accuracy of a class and the balanced one of unequal classes."""
    pool = seed_pool.read()
    correct, labels = pool.correct["convolution"], pool.labels
    by_class = [float(correct[:, labels == k].mean()) for k in range(10)]
    weights = 0.7 ** np.arange(10)
    for n_images, n_seeds in ((120, 5), (360, 5), (360, 10), (1000, 5)):
        studies = max(2, round(share * 500))
        rng = np.random.default_rng(SEED)
        held = classes = held_balanced = 0
        for _ in range(studies):
            images = rng.choice(pool.n_images, n_images, replace=False)
            drawn = pool.draw(rng, "convolution", images, n_seeds)
            for k in range(10):
                of_class = labels[images] == k
                if of_class.sum() >= 10:
                    one = estimate(drawn[:, of_class])
                    held += int(one.low <= by_class[k] <= one.high)
                    classes += 1
            sizes = np.maximum(2, np.round(n_images * weights / weights.sum()).astype(int))
            of_sizes = [
                rng.choice(np.flatnonzero(labels == k), sizes[k], replace=False) for k in range(10)
            ]
            uneven = np.concatenate(of_sizes)
            drawn = pool.draw(rng, "convolution", uneven, n_seeds)
            balanced = estimate_balanced(drawn, labels[uneven])
            held_balanced += int(balanced.low <= float(np.mean(by_class)) <= balanced.high)
        about = [f"{n_images:,}", "97 %", n_seeds, studies]
        if classes:
            yield ["a class (pool)", *about, rate(held, classes), "", ""]
        held_rate = rate(held_balanced, studies)
        yield ["balanced, sizes 0.7^k (pool)", *about, held_rate, "", ""]


def pool_pairs(share: float) -> Rows:
    """Real networks: false claims about two equal ones, power, and what "differ by less" says."""
    pool = seed_pool.read()
    truth = {name: float(each.mean()) for name, each in pool.correct.items()}
    weakest_first = sorted(truth, key=lambda name: truth[name])
    gap = 100 * (truth["convolution"] - truth["wide"])
    yield [
        *("images", "seeds", "studies", *(f"{name}, twice" for name in weakest_first)),
        *(f"finds {gap:.2f} points", "differ by less than, median"),
    ]
    for n_images, most in ((60, 600), (360, 600), (1000, 400), (10_000, 150)):
        for n_seeds in (3, 5, 10):
            studies = max(2, round(share * most))
            rng = np.random.default_rng(SEED)
            claims = dict.fromkeys(weakest_first, 0)
            found, bounds = 0, []
            for _ in range(studies):
                images = rng.choice(pool.n_images, n_images, replace=False)
                for name in claims:
                    both = pool.draw(rng, name, images, 2 * n_seeds)
                    test = compare_pair(both[:n_seeds], both[n_seeds:])
                    claims[name] += test.p < 0.05
                    bounds.append(differ_by_less_than(test))
                test = compare_pair(
                    pool.draw(rng, "convolution", images, n_seeds),
                    pool.draw(rng, "wide", images, n_seeds),
                )
                found += test.p < 0.05
            yield [
                *(f"{n_images:,}", n_seeds, studies, *(rate(n, studies) for n in claims.values())),
                *(rate(found, studies), f"{100 * np.median(bounds):.2f}"),
            ]


def looks(models: Sequence[Correct], after: Sequence[int]) -> tuple[bool, float]:
    """Carry out declared looks at equal models: (any claim at any look, seeds used of each model).

    As a run does: a K-th of 5 % at each look, and more seeds only for models of open pairs.
    """
    seeds = dict.fromkeys(map(str, range(len(models))), after[0])
    for number in range(1, len(after) + 1):
        parts = {name: decompose(models[int(name)][:n]) for name, n in seeds.items()}
        pairs = verdicts(compare_all(parts), margin=0.002, look=Look(number, tuple(after)))
        if any(pair.verdict in ("better", "worse") for pair in pairs):
            return True, float(np.mean(list(seeds.values())))
        if number < len(after):
            seeds |= dict.fromkeys(unsettled(pairs), after[number])
    return False, float(np.mean(list(seeds.values())))


def peeking(share: float) -> Rows:
    """Equal models, any two ever called different: looking each time, or at declared looks."""
    head = ["images", "models", "studies", "effect .04: 3, 5, … 19", "declared 5, 10, 20"]
    head += ["effect .2: 3, 5, … 19", "declared 5, 10, 20", "its seeds"]
    yield head
    for n_images, count, most in ((360, 2, 1000), (360, 5, 300), (10_000, 2, 300)):
        studies = max(2, round(share * most))
        found = []
        for effect in (0.04, 0.2):
            rng = np.random.default_rng(SEED)
            undeclared, declared, used = 0, 0, []
            for _ in range(studies):
                models = draw(rng, [ACCURACY] * count, n_images, [20] * count, effect=effect)
                undeclared += any(any_claim([each[:n] for each in models]) for n in range(3, 20, 2))
                claimed, seeds = looks(models, (5, 10, 20))
                declared += claimed
                used.append(seeds)
            found += [rate(undeclared, studies), rate(declared, studies)]
        yield [f"{n_images:,}", count, studies, *found, f"{np.mean(used):.1f}"]


TABLES: dict[str, Callable[[float], Rows]] = {
    "coverage": coverage,
    "pool": pool_pairs,
    "recommendation": recommendation,
    "claims": claims,
    "other_recommendations": other_recommendations,
    "highest": highest,
    "families": families,
    "large_families": large_families,
    "unstable": unstable,
    "peeking": peeking,
}


def main(argv: Sequence[str] | None = None) -> None:
    """Carry out a command line: print the tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="all by default")
    parser.add_argument("--share", type=float, default=1.0, help="of the studies")
    options = parser.parse_args(argv)
    for name in options.tables or TABLES:
        sys.stdout.write(f"\n{TABLES[name].__doc__}\n\n")
        for number, row in enumerate(TABLES[name](options.share)):
            lines = [row, ["---"] * len(row)] if number == 0 else [row]
            for line in lines:
                sys.stdout.write("| " + " | ".join(map(str, line)) + " |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
