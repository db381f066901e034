"""What the parts of the split say, or the folds: images that stand in two, and tiny classes."""

from __future__ import annotations

import numpy as np

from bakeoff.analysis.comparison import Comparison, Finding, Severity
from bakeoff.analysis.wording import part_in_words
from bakeoff.utils.text import counted, listed, percent, some

# One image is then five points of a class's accuracy, and its interval forty points wide.
SMALL_CLASS = 20
# A copy in a hundred test images can move the accuracy by as much as most models differ.
MANY_COPIES = 0.01
# A near twin in a thousand changes no third digit of an accuracy; exact ones are always told.
NEAR_COPIES = 0.001


def duplicates(comparison: Comparison) -> Finding | None:
    """Notice images that stand in two parts of the split, or in two folds."""
    exact, near = (_copies(comparison, kind) for kind in ("exact", "near"))
    n_test = len(comparison.labels)
    if not sum(exact.values()) and sum(near.values()) < NEAR_COPIES * n_test:
        return None
    in_test = sum(n for counts in (exact, near) for pair, n in counts.items() if _is_test(pair))
    folds = comparison.folded
    says = [
        _twins(pair, count, what, folds=folds)
        for counts, what in ((exact, "an exact"), (near, "a near"))
        for pair, count in counts.items()
        if count
    ]
    severity: Severity = "warning" if sum(exact.values()) else "info"
    if in_test >= MANY_COPIES * n_test:
        severity = "serious"
    return Finding(
        code="duplicates",
        severity=severity,
        model=None,
        text=(
            f"The {'folds' if folds else 'parts of the split'} share images: {listed(says)}; up to "
            f"{percent(min(1.0, in_test / n_test), 2, 'up')} of the {n_test:,} test images may "
            "have been learnt by heart."
        ),
        advice="Keep one copy of each image alone, and run it again."
        if folds
        else "Remove the copies, or keep all copies of an image in one part, and run it again.",
    )


def small_classes(comparison: Comparison) -> Finding | None:
    """Name classes without images in a part of the split, or with too few to speak of."""
    names = comparison.class_names
    counts = dict(comparison.data.get("class_counts", {}))
    counts["test"] = np.bincount(comparison.labels, minlength=len(names)).tolist()
    empty: list[str] = []
    small: list[str] = []
    for part, numbers in counts.items():
        if not sum(numbers):
            continue  # a study without a validation part
        first = comparison.folded and part != "test"  # of many folds, one
        where = f"{part} of the first fold" if first else part
        for name, count in zip(names, numbers, strict=True):
            if count < (1 if first else SMALL_CLASS):
                (small if count else empty).append(f"{name} ({count} in {where})")
    if not (empty or small):
        return None
    says = [f"{some(empty)} without images"] if empty else []
    says += [f"{some(small)} with fewer than {SMALL_CLASS}"] if small else []
    return Finding(
        code="small-classes",
        severity="serious" if empty else "warning",
        model=None,
        text=f"Some classes are missing or tiny: {'; '.join(says)}.",
        advice=(
            "Add images of these classes, leave them out, or read their accuracies by the "
            "interval, which is wide."
        ),
    )


def _copies(comparison: Comparison, kind: str) -> dict[str, int]:
    return {pair: int(count) for pair, count in comparison.duplicates.get(kind, {}).items()}


def _is_test(pair: str) -> bool:
    return pair.endswith("-test")


def _twins(pair: str, count: int, what: str, *, folds: bool) -> str:
    earlier, later = pair.split("-")
    verb = "has" if count == 1 else "have"
    if folds:
        return f"{counted(count, 'image')} {verb} {what} twin in another fold"
    part = part_in_words(earlier)
    return f"{counted(count, f'{later} image')} {verb} {what} twin in the {part} part"
