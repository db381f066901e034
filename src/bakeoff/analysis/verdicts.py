"""What may be said of models, from the tests of all their pairs: verdicts, and what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bakeoff.analysis.advice import Advice, advise
from bakeoff.analysis.statistics import (
    FEWEST_SEEDS,
    PairTest,
    differ_by_less_than,
    few_seeds,
    half_width,
    holm,
    tost_p,
    unit_of,
)
from bakeoff.analysis.variance import LEVEL
from bakeoff.recipe.outline import MOST_SEEDS
from bakeoff.utils.text import counted, declared_points, p_value, points, signed_points

ALPHA = 0.05  # of all claims of one kind together: `better` and `worse`, or `practically equal`
TOO_SMALL = "more seeds cannot help: the test set is too small"
TOO_FEW = "more repeats cannot help: the images are too few"
NO_DIFFERENCE = "the two scored exactly the same: there is no difference to separate"
EVEN_MEANS = "their means happen to be the same, so what would separate them cannot be said"

Word = Literal["better", "worse", "practically equal", "not separated"]
Tests = Mapping[tuple[str, str], PairTest]


@dataclass(frozen=True)
class Look:
    """One of the looks at the test set that a study declared before the first of them.

    number : which it is, from 1
    after : how many seeds of each model each look has, ascending
    """

    number: int
    after: tuple[int, ...]

    @property
    def text(self) -> str:
        """What it is called: "look 2 of 3"."""
        return f"look {self.number} of {len(self.after)}"


@dataclass(frozen=True, repr=False)
class Pair:
    """What may be said of model `a` against model `b`; `sentence` says it all with its numbers.

    Where a model has fewer than 3 seeds there is no verdict about models: `verdict`, `p_holm` and
    `p_equal_holm` are None. Where one has a single seed, `test` is None too, and `mcnemar`,
    `files` and `only_correct` speak of two trained files instead, or of two models' folds.

    `p_holm` and `p_equal_holm` are adjusted over all pairs of the study, and over its looks if it
    declared several; `look` says which this is. `by_less_than_margin`: a
    difference is shown, and the one seen is below the margin. `smallest_margin`: no margin below
    it could have been shown with these seeds and images, had the models been exactly equal.
    `less_than`: what the size of the difference stays below, with 95 % confidence in this pair.
    `needs` is a sentence, for `not separated` only. `failed` names runs that failed or collapsed.
    """

    a: str
    b: str
    test: PairTest | None
    probability_a_better: float
    verdict: Word | None = None
    p_holm: float | None = None
    p_equal_holm: float | None = None
    margin: float | None = None
    by_less_than_margin: bool = False
    smallest_margin: float | None = None
    less_than: float | None = None
    advice: Advice | None = None
    failed: str = ""
    look: Look | None = None
    mcnemar: float | None = None  # exact p of the two files
    files: tuple[int, int] | None = None  # their seeds: a's, b's
    only_correct: tuple[int, int] | None = None  # images that only a's, only b's file gets correct
    one_image: bool = False  # why there are two files: there is one test image, whatever the seeds
    folded: bool = False  # each "file" is the networks of one repeat's folds

    def __repr__(self) -> str:
        by = f", {signed_points(self.test.difference)} points" if self.test else ""
        return f"<Pair {self.a}, {self.b}: {self.verdict or 'no verdict'}{by}>"

    @property
    def p_of_verdict(self) -> float:
        """The adjusted p of the test that the verdict rests on; 1 where there is none."""
        found = self.p_equal_holm if self.verdict == "practically equal" else self.p_holm
        return 1.0 if found is None else found

    @property
    def unit(self) -> str:
        """What its models have one score each of: "seed" or "repeat"."""
        return unit_of(folded=self.folded or (self.test is not None and self.test.n_folds > 1))

    @property
    def seeds_needed(self) -> int | None:
        """Seeds of each model that would separate the pair with even chances; None if unknown."""
        return self.advice.seeds if self.advice else None

    @property
    def needs(self) -> str | None:
        """What would separate the pair, with its odds; None where that is no question."""
        if self.test is None or self.advice is None or self.verdict != "not separated":
            return None
        if self.test.difference == 0:
            return EVEN_MEANS if self.test.variance else NO_DIFFERENCE
        if self.failed:
            wide = f"{self.failed}, which may make this interval wide"
            return f"{wide}: mend that before adding {self.unit}s"
        advice, folds = self.advice, self.test.n_folds > 1
        images = f"about {_rounded(advice.images or 0)} {'' if folds else 'test '}images"
        more = f" ({images} would do, with even chances)" if advice.images else ""
        if advice.cannot:
            # seeds may still show equality, and `equality_needs` says so
            what_for = " to separate them" if advice.equality else ""
            return (TOO_FEW if folds else TOO_SMALL) + what_for + more
        unit = "repeats" if folds else "seeds of each model"
        if advice.seeds is None:
            return f"whether more {self.unit}s would help cannot be said from these"
        if advice.seeds > MOST_SEEDS:
            return (
                f"{self.unit}s alone will not separate them: about {advice.seeds:,} {unit} would "
                "be needed, if the difference is real and as large as it seems, and a study has at "
                f"most {MOST_SEEDS:,}{more}"
            )
        likely = f"; {advice.seeds_likely:,} for chances of 80 %" if advice.seeds_likely else ""
        return (
            f"about {advice.seeds:,} {unit} would separate them with even chances, "
            f"if the difference is real and as large as it seems{likely}"
        )

    @property
    def equality_needs(self) -> str | None:
        """What would show them to be practically equal; None where that is no question."""
        if self.test is None or self.advice is None or self.verdict != "not separated":
            return None
        unit = "repeats" if self.test.n_folds > 1 else "seeds of each model"
        if self.advice.equality is None:
            shown = "show them to be practically equal"
            if (1 - (self.margin or 0.0)) ** self.test.n_images >= 1 - self.test.level:
                return f"no number of {self.unit}s would {shown}: the images are too few"
            return f"whether more {self.unit}s would {shown} cannot be said from these"
        if self.advice.equality > MOST_SEEDS:
            return (
                f"{self.unit}s alone will not show them to be practically equal: "
                f"{self.advice.equality:,} {unit} would be needed, and a study has at most "
                f"{MOST_SEEDS:,}"
            )
        return (
            f"{self.advice.equality:,} {unit} would show them to be practically equal with chances "
            "of 80 %, if they are equal"
        )

    @property
    def basis(self) -> str:
        """What the test rests on: "5 seeds, 10,000 test images", and which look it is."""
        assert self.test is not None
        return basis(self.test) + (f", {self.look.text}" if self.look else "")

    @property
    def sentence(self) -> str:
        """The verdict with its numbers."""
        if self.test is None:
            return self._two_files()
        test = self.test
        numbers = (
            f"difference {signed_points(test.difference)} points, "
            f"pairwise {100 * test.level:.4g} % interval "
            f"{signed_points(test.low)} to {signed_points(test.high)}"
        )
        if self.verdict is None or self.p_holm is None:
            mended = f"; {self.failed}" if self.failed else ""
            return (
                f"no verdict on {self.a} and {self.b} ({numbers}, {self.basis}){self._bound}"
                f"{mended}; {few_seeds(test.fewest_seeds, test.n_folds)}"
            )
        says = {
            "better": f"{self.a} is better than {self.b}",
            "worse": f"{self.a} is worse than {self.b}",
            "practically equal": f"{self.a} and {self.b} are practically equal",
            "not separated": f"{self.a} and {self.b} are not separated",
        }[self.verdict]
        if self.by_less_than_margin:
            says += ", by less than the margin"
        p = f"Holm-adjusted p {p_value(self.p_of_verdict)}"
        if self.verdict == "practically equal":
            p += f" for a margin of {declared_points(self.margin or 0.0)} points"
        text = f"{says} ({numbers}, {p}, {self.basis}){self._bound}"
        return text + "".join(f"; {more}" for more in (self.needs, self.equality_needs) if more)

    @property
    def _bound(self) -> str:
        if self.test is None or self.less_than is None:
            return ""
        level = f"one-sided {100 * self.test.level:.4g} %"
        return f"; they differ by less than {points(self.less_than, 2, 'up')} points ({level})"

    def _two_files(self) -> str:
        (seed_a, seed_b), (only_a, only_b) = self.files or (0, 0), self.only_correct or (0, 0)
        p, unit, images = p_value(self.mcnemar or 0.0), self.unit, counted(only_a, "test image")
        these = "the networks of these folds" if self.folded else "these two trained files"
        one = "test image" if self.one_image else f"{unit} of a model"
        return (
            f"{these}, {self.a} {unit} {seed_a} and {self.b} {unit} {seed_b}: {images} only the "
            f"first classifies correctly, {only_b:,} only the second (exact McNemar p {p}); with "
            f"one {one} nothing is said of the models"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, for `--json`."""
        test, advice = self.test, self.advice
        sources = None
        if test is not None and test.variance > 0:
            images, seeds, both = (part / test.variance for part in test.sources)
            sources = {"images": images, "seeds": seeds, "both": both}
        return {
            "a": self.a,
            "b": self.b,
            "difference": test and test.difference,
            "ci": test and (test.low, test.high),
            "ci_level": test and test.level,
            "df": test and test.df,
            "p": test and test.p,
            "p_holm": self.p_holm,
            "p_equal_holm": self.p_equal_holm,
            "verdict": self.verdict,
            "by_less_than_margin": self.by_less_than_margin,
            "differ_by_less_than": self.less_than,
            "smallest_margin": self.smallest_margin,
            "probability_a_better": self.probability_a_better,
            "variance": sources,
            "needs": self.needs,
            "advice": advice
            and {
                "seeds_even_chances": advice.seeds,
                "seeds_80_percent": advice.seeds_likely,
                "images_even_chances": advice.images,
                "seeds_cannot_help": advice.cannot,
                "seeds_for_equality_80_percent": advice.equality,
            },
            "sentence": self.sentence,
            "files": self.files
            and {"seeds": self.files, "only_right": self.only_correct, "p": self.mcnemar},
        }


def level_of(look: Look | None) -> float:
    """Return the level of intervals and bounds: each of K declared looks has a K-th of 5 %."""
    return 1 - (1 - LEVEL) / (len(look.after) if look else 1)


def verdicts(
    tests: Tests,
    *,
    margin: float,
    probabilities: Mapping[tuple[str, str], float] | None = None,
    failed: Mapping[tuple[str, str], str] | None = None,
    look: Look | None = None,
) -> tuple[Pair, ...]:
    """Verdicts of all pairs of a study, in the order given.

    `better`/`worse` where Holm's p < ALPHA; else `practically equal` where both one-sided tests
    against ±margin, Holm-adjusted, have p < ALPHA; else `not separated`. None of these where a
    model has fewer than FEWEST_SEEDS seeds: then for no pair.

    Parameters
    ----------
    probabilities : of each pair, that a run of A scores higher than a run of B
    failed : of pairs with failed runs, which: "cnn failed with seed 3"
    look : which of several declared looks this is: each p is multiplied by how many there are
    """
    looks, probabilities, failed = len(look.after) if look else 1, probabilities or {}, failed or {}
    pairs = [
        Pair(
            *names,
            test,
            probabilities.get(names, 0.5),
            less_than=differ_by_less_than(test, level=level_of(look)),
            failed=failed.get(names, ""),
            look=look,
        )
        for names, test in tests.items()
    ]
    if any(test.fewest_seeds < FEWEST_SEEDS for test in tests.values()):
        return tuple(pairs)
    p_holm = np.minimum(1, looks * holm([test.p for test in tests.values()]))
    p_equal = np.minimum(1, looks * holm([tost_p(test, margin) for test in tests.values()]))
    separated = p_holm < ALPHA
    # Holm compares the smallest p that is left with ALPHA over the number of pairs left.
    level = ALPHA / looks / max(1, int((~separated).sum()))
    result = []
    for pair, test, p, equal in zip(pairs, tests.values(), p_holm, p_equal, strict=True):
        word = _word(test.difference, p, equal)
        result.append(
            replace(
                pair,
                verdict=word,
                p_holm=float(p),
                p_equal_holm=float(equal),
                margin=margin,
                by_less_than_margin=bool(p < ALPHA and abs(test.difference) < margin),
                smallest_margin=smallest_margin(test, alpha=ALPHA / looks / len(tests)),
                advice=advise(test, margin=margin, alpha=level)
                if word == "not separated"
                else None,
            )
        )
    return tuple(result)


def _word(difference: float, p_holm: float, p_equal: float) -> Word:
    """Return the verdict on a pair with this difference and these adjusted p-values."""
    if p_holm < ALPHA:
        return "better" if difference > 0 else "worse"
    return "practically equal" if p_equal < ALPHA else "not separated"


def unsettled(pairs: Sequence[Pair]) -> frozenset[str]:
    """Return the models that another look may say more of: those of pairs not separated."""
    still = [pair for pair in pairs if pair.verdict in (None, "not separated")]
    return frozenset(name for pair in still for name in (pair.a, pair.b))


def smallest_margin(test: PairTest, *, alpha: float = ALPHA) -> float:
    """Smallest margin that these seeds and images could show: that of a difference of exactly 0."""
    return half_width(test, tail=alpha)


def basis(test: PairTest) -> str:
    """Return what a test rests on: "5 seeds, 10,000 test images"."""
    if test.n_folds > 1:
        return f"{test.seeds_a} repeats of {test.n_folds} folds, {test.n_images:,} images"
    seeds = (
        f"{test.seeds_a}" if test.seeds_a == test.seeds_b else f"{test.seeds_a} and {test.seeds_b}"
    )
    return f"{seeds} seeds, {test.n_images:,} test images"


def _rounded(count: int) -> str:
    """Return a count with two digits that matter: 12,345 → "12,000"."""
    size = 10 ** max(0, len(str(count)) - 2)
    return f"{round(count / size) * size:,}"
