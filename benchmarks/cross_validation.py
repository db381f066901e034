"""How wide the intervals of repeated cross-validation are, and how often they hold the truth.

Many small data sets are drawn from a large one. On each, two networks are compared with 5 folds and
5 repeats, and with one test part of a fifth and 5 seeds. The truth is known from many networks
trained on as many images and tested on all the others. Networks are small multilayer perceptrons in
NumPy on principal components, so that thousands of them train in minutes.

    python benchmarks/cross_validation.py --images 300 600 --studies 100

Prints a Markdown table. With --luck it prints instead what no such data set can show, since all of
its folds share it: how much the accuracy of a data set's networks depends on which images it holds.
MNIST where it is at hand (BAKEOFF_DATA), else the digits of scikit-learn.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.estimates import estimate
from bakeoff.analysis.statistics import compare_pair
from bakeoff.analysis.variance import decompose
from bakeoff.data import load
from bakeoff.data.folds import make_folds
from bakeoff.data.split import make_split
from bakeoff.errors import DataError

COMPONENTS, EPOCHS, BATCH, RATE = 30, 30, 20, 0.01
FOLDS, REPEATS = 5, 5
WIDE, NARROW = 32, 8  # hidden units: of two equal networks, and of the one that is worse
TRUTH, AT_ONCE = 900, 60  # networks for the true accuracy, and how many train at once
SETS = 150  # training sets, for their luck

Features = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """Half its width, in points, and whether it holds the truth (and leaves out 0, for a pair)."""

    half: float
    holds: bool
    shows: bool


def features(name: str) -> tuple[Features, Labels]:
    """Return a data set's images as COMPONENTS standardised principal components, and labels."""
    data = load(name, offline=True)
    pixels = data.images.reshape(len(data.images), -1).astype(np.float32)
    centered = pixels - pixels.mean(axis=0)
    _, vectors = np.linalg.eigh(centered.T @ centered)
    found = centered @ vectors[:, : -COMPONENTS - 1 : -1]
    return (found / found.std()).astype(np.float32), data.labels


def train(
    x: Features, y: Labels, rows: NDArray[np.int64], seeds: Sequence[Sequence[int]], hidden: int
) -> list[NDArray[np.float32]]:
    """Train one network for every row of `rows`, each on its own images, with Adam; all at once.

    rows : shape (networks, images of each)
    seeds : of every network
    """
    networks, size = rows.shape
    classes = int(y.max()) + 1
    draws = [np.random.default_rng(seed) for seed in seeds]

    def weights(*shape: int) -> NDArray[np.float32]:
        limit = np.sqrt(6 / sum(shape))
        return np.stack([d.uniform(-limit, limit, shape) for d in draws]).astype(np.float32)

    state = [
        weights(x.shape[1], hidden),
        np.zeros((networks, 1, hidden), np.float32),
        weights(hidden, classes),
        np.zeros((networks, 1, classes), np.float32),
    ]
    first, second = ([np.zeros_like(each) for each in state] for _ in range(2))
    step = 0
    for _ in range(EPOCHS):
        order = np.stack([each.permutation(size) for each in draws])
        order = np.take_along_axis(rows, order, axis=1)
        for start in range(0, size, BATCH):
            step += 1
            batch = order[:, start : start + BATCH]
            for i, gradient in enumerate(_gradients(state, x[batch], y[batch])):
                first[i] += 0.1 * (gradient - first[i])
                second[i] += 0.001 * (gradient**2 - second[i])
                mean, square = first[i] / (1 - 0.9**step), second[i] / (1 - 0.999**step)
                state[i] -= RATE * mean / (np.sqrt(square) + 1e-7)
    return state


def _gradients(
    state: Sequence[NDArray[np.float32]], inputs: Features, labels: Labels
) -> list[NDArray[np.float32]]:
    """Return each network's gradients of its mean cross-entropy over its own batch.

    inputs : shape (networks, images, features)
    labels : shape (networks, images)
    """
    before = inputs @ state[0] + state[1]
    active = np.maximum(before, 0)
    scores = active @ state[2] + state[3]
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    error = scores / scores.sum(axis=-1, keepdims=True)
    at_label = np.take_along_axis(error, labels[..., None], axis=-1)
    np.put_along_axis(error, labels[..., None], at_label - 1, axis=-1)
    error /= labels.shape[1]
    back = (error @ state[2].swapaxes(1, 2)) * (before > 0)
    return [
        inputs.swapaxes(1, 2) @ back,
        back.sum(axis=1, keepdims=True),
        active.swapaxes(1, 2) @ error,
        error.sum(axis=1, keepdims=True),
    ]


def correct(state: Sequence[NDArray[np.float32]], x: Features, y: Labels) -> NDArray[np.bool_]:
    """Return which images each network classifies correctly, shape (networks, images)."""
    found = []
    for w1, b1, w2, b2 in zip(*state, strict=True):
        found.append((np.maximum(x @ w1 + b1, 0) @ w2 + b2).argmax(axis=1) == y)
    return np.stack(found)


def cross_validated(
    x: Features, y: Labels, hidden: int, study: int, *, kind: int = 0
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return scores and folds, shape (REPEATS, images), of FOLDS × REPEATS networks.

    kind : networks of another kind have other seeds; the folds are those of the study
    """
    folds = make_folds(y, folds=FOLDS, repeats=REPEATS, validation=0, seed=study)
    cells = [(r, k) for r in range(REPEATS) for k in range(FOLDS)]
    parts = [folds.at(r, k) for r, k in cells]
    size = min(len(part.train) for part in parts)
    seeds = [[study, hidden, kind, r, k] for r, k in cells]
    state = train(x, y, np.stack([part.train[:size] for part in parts]), seeds, hidden)
    scores = np.empty(folds.tested.shape, dtype=bool)
    for (r, _), part, answers in zip(cells, parts, correct(state, x, y), strict=True):
        scores[r, part.test] = answers[part.test]
    return scores, folds.tested


def one_split(
    x: Features, y: Labels, hidden: int, study: int, *, kind: int = 0
) -> tuple[NDArray[np.bool_], None]:
    """Return scores, shape (REPEATS seeds, test images), of one test part of a fifth."""
    split = make_split(y, test_start=None, validation=0, test=1 / FOLDS, seed=study)
    rows = np.tile(split.train, (REPEATS, 1))
    state = train(x, y, rows, [[study, hidden, kind, s] for s in range(REPEATS)], hidden)
    return correct(state, x[split.test], y[split.test]), None


def truth(x: Features, y: Labels, images: int, hidden: int) -> float:
    """Return the mean accuracy of networks trained on (FOLDS − 1)/FOLDS of so many images.

    Its own error is small beside an interval: networks of 240 images differ by 1 to 2 points
    (standard deviation), and the mean of 900 by a thirtieth of that.
    """
    size = images * (FOLDS - 1) // FOLDS
    rng = np.random.default_rng(images)
    means = []
    for first in range(0, TRUTH, AT_ONCE):
        rows = np.stack([rng.permutation(len(y))[:size] for _ in range(AT_ONCE)])
        seeds = [[10**6, hidden, first + each] for each in range(AT_ONCE)]
        means.append(unseen_accuracies(x, y, rows, seeds, hidden).mean())
    return float(np.mean(means))


def unseen_accuracies(
    x: Features, y: Labels, rows: NDArray[np.int64], seeds: Sequence[Sequence[int]], hidden: int
) -> NDArray[np.float64]:
    """Return each network's accuracy on all images that it was not trained on, (networks,)."""
    right = correct(train(x, y, rows, seeds, hidden), x, y)
    unseen = np.ones(right.shape, dtype=bool)
    np.put_along_axis(unseen, rows, False, axis=1)
    found: NDArray[np.float64] = (right & unseen).sum(axis=1) / unseen.sum(axis=1)
    return found


def luck(x: Features, y: Labels, images: int) -> dict[str, float]:
    """Return the standard deviation that the luck of a data set's images gives to all its folds.

    Two networks of other seeds are trained on each of SETS training sets, and the covariance of
    their accuracies is what the set brings, T. A data set of N images in K folds brings (K − 1)/K
    of it, as far as single images add up: each image is in (K − 1)/K of the networks' training
    sets, and these are (K − 1)/K as large.
    """
    size = images * (FOLDS - 1) // FOLDS
    rng = np.random.default_rng([images, SETS])
    rows = np.stack([rng.permutation(len(y))[:size] for _ in range(SETS)])
    found = {}
    for hidden in (WIDE, NARROW):
        seeds = [[[10**7, hidden, kind, each] for each in range(SETS)] for kind in range(2)]
        found[hidden] = [unseen_accuracies(x, y, rows, each, hidden) for each in seeds]
    apart = [wide - narrow for wide, narrow in zip(*found.values(), strict=True)]
    return {
        name: float(np.sqrt(max(0.0, np.cov(*twice)[0, 1]) * (FOLDS - 1) / FOLDS))
        for name, twice in (("accuracy", found[WIDE]), ("unequal pair", apart))
    }


def sample(y: Labels, images: int, study: int) -> NDArray[np.int64]:
    """Return the images of one study, every class having FOLDS at least."""
    for attempt in range(1000):
        rows = np.random.default_rng([study, attempt]).permutation(len(y))[:images]
        if np.bincount(y[rows], minlength=int(y.max()) + 1).min() >= FOLDS:
            return rows
    raise ValueError(f"expected a sample of {images} with {FOLDS} of every class, found none")


def measure(x: Features, y: Labels, images: int, studies: int) -> dict[str, list[Interval]]:
    """Return all intervals by "design, what", of `studies` data sets of so many images."""
    true = {hidden: truth(x, y, images, hidden) for hidden in (WIDE, NARROW)}
    found: dict[str, list[Interval]] = {}

    def note(design: str, what: str, low: float, high: float, real: float) -> None:
        one = Interval(50 * (high - low), low <= real <= high, not low <= 0 <= high)
        found.setdefault(f"{design}, {what}", []).append(one)

    for study in range(studies):
        rows = sample(y, images, study)
        xs, ys = x[rows], y[rows]
        for design, carry_out in (("5 × 5 folds", cross_validated), ("one split", one_split)):
            wide, folds = carry_out(xs, ys, WIDE, study)
            again, _ = carry_out(xs, ys, WIDE, study, kind=1)
            narrow, _ = carry_out(xs, ys, NARROW, study)
            accuracy = estimate(wide, folds=folds)
            note(design, "accuracy", accuracy.low, accuracy.high, true[WIDE])
            parts = [decompose(each, folds) for each in (wide, again, narrow)]
            equal, unequal = compare_pair(parts[0], parts[1]), compare_pair(parts[0], parts[2])
            note(design, "equal pair", equal.low, equal.high, 0.0)
            note(design, "unequal pair", unequal.low, unequal.high, true[WIDE] - true[NARROW])
    return found


def table(results: dict[int, dict[str, list[Interval]]]) -> str:
    """Return a Markdown table: half-widths in points, and how often the truth was held."""
    lines = [
        f"| | {' | '.join(f'N = {images:,}' for images in results)} |",
        f"| --- |{' --- |' * len(results)}",
    ]
    for name in next(iter(results.values())):
        cells = []
        for found in results.values():
            intervals = found[name]
            held = sum(each.holds for each in intervals) / len(intervals)
            cell = f"{np.mean([each.half for each in intervals]):.2f} ({100 * held:.0f} %"
            if name.endswith("unequal pair"):
                shown = sum(each.shows for each in intervals) / len(intervals)
                cell += f"; shown {100 * shown:.0f} %"
            cells.append(f"{cell})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the studies that the command line asks for, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[300, 600])
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--luck", action="store_true", help="of the data set's images, instead")
    arguments = parser.parse_args()
    try:
        name, (x, y) = "MNIST", features("mnist")
    except DataError:
        name, (x, y) = "digits", features("digits")
    if arguments.luck:
        for n in arguments.images:
            said = [f"{what} {100 * spread:.2f} points" for what, spread in luck(x, y, n).items()]
            sys.stdout.write(f"{name}, {n} images, {SETS} sets: {', '.join(said)}\n")
        return
    started = time.monotonic()
    results = {n: measure(x, y, n, arguments.studies) for n in arguments.images}
    sys.stdout.write(f"{name}, {arguments.studies} studies, {time.monotonic() - started:.0f} s\n\n")
    sys.stdout.write(f"{table(results)}\n")


if __name__ == "__main__":
    main()
