"""What may be said of the models of a comparison: failures, verdicts, recommendation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.checks.failed_runs import failed_seeds
from bakeoff.analysis.checks.predictions import collapsed
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.headline import headline, unusable
from bakeoff.analysis.letters import letters
from bakeoff.analysis.recommendation import Candidate, Recommendation, recommend
from bakeoff.analysis.statistics import compare_all, mcnemar_exact, probability_a_better
from bakeoff.analysis.variance import decompose
from bakeoff.analysis.verdicts import Pair, Tests, level_of, verdicts
from bakeoff.utils.text import listed

Correct = NDArray[np.bool_]
Folds = NDArray[np.int64] | None  # in which fold an image was tested, (seeds, n_test)


def judged(
    comparison: Comparison, correct: Mapping[str, Correct], folds: Mapping[str, Folds]
) -> Comparison:
    """Add to a comparison what may be said of its models, whose predictions `correct` judges.

    correct : by model, bool (seeds, n_test)
    folds : by model, in which fold each image was tested
    """
    comparison = _with_failures(comparison)
    tests = _tests(comparison, correct, folds)
    pairs = _pairs(comparison, correct, tests)
    comparison = replace(
        comparison,
        models=_lettered(comparison.models, pairs),
        pairs=pairs,
        recommended=_choose(comparison, correct, tests),
    )

    def choose_from(images: NDArray[np.bool_]) -> Recommendation:
        some = {name: each[:, images] for name, each in correct.items()}
        of_them = {n: None if each is None else each[:, images] for n, each in folds.items()}
        return _choose(comparison, some, _tests(comparison, some, of_them))

    return replace(comparison, headline=headline(comparison, choose_from))


def _with_failures(comparison: Comparison) -> Comparison:
    """Add to every model which of its runs failed, and the mean accuracy of the others."""
    models = []
    for model in comparison.models:
        failed = failed_seeds(model, comparison)
        sound = [a for k, a in enumerate(model.accuracy.per_seed) if k not in failed]
        models.append(
            replace(
                model,
                failed=tuple(model.seeds[k] for k in failed),
                sound_accuracy=float(np.mean(sound)) if sound else None,
            )
        )
    return replace(comparison, models=tuple(models))


def _tests(
    comparison: Comparison, correct: Mapping[str, Correct], folds: Mapping[str, Folds]
) -> Tests:
    """Test all pairs of models; none where there is one image, or a model with one seed."""
    if any(min(each.shape) < 2 for each in correct.values()):
        return {}
    names = [model.name for model in comparison.models]  # which stand best first
    parts = {name: decompose(correct[name], folds[name]) for name in names}
    return compare_all(parts, level=level_of(comparison.look))


def _pairs(
    comparison: Comparison, correct: Mapping[str, Correct], tests: Tests
) -> tuple[Pair, ...]:
    """Return what may be said of every pair: of two models, or without tests of two files."""
    collapses = {model.name: collapsed(model, comparison) for model in comparison.models}
    couples = list(combinations(comparison.models, 2))
    failed = {
        (a.name, b.name): listed(collapses[each.name] for each in (a, b) if collapses[each.name])
        for a, b in couples
    }
    if tests:
        return verdicts(
            tests,
            margin=comparison.margin,
            probabilities={(a.name, b.name): _better(a, b) for a, b in couples},
            failed=failed,
            look=comparison.look,
        )
    return tuple(
        replace(
            _two_files(a, b, correct),
            folded=comparison.folded,
            failed=failed[a.name, b.name],
            one_image=len(comparison.labels) == 1,
        )
        for a, b in couples
    )


def _lettered(models: Sequence[ModelResult], pairs: Sequence[Pair]) -> tuple[ModelResult, ...]:
    """Give the models their letters, where there are verdicts, or one model alone."""
    if len(models) > 1 and not any(pair.verdict for pair in pairs):
        return tuple(models)
    separated = [(pair.a, pair.b) for pair in pairs if pair.verdict in ("better", "worse")]
    groups = letters([model.name for model in models], separated)
    return tuple(replace(model, group=groups[model.name]) for model in models)


def _choose(comparison: Comparison, correct: Mapping[str, Correct], tests: Tests) -> Recommendation:
    """Recommend a model by these predictions and tests, which may be of some images alone."""
    models = comparison.models
    return recommend(
        [Candidate(m.name, m.parameters, float(correct[m.name].mean())) for m in models],
        tests,
        give_up=comparison.give_up,
        level=level_of(comparison.look),
        barred=[model.name for model in models if unusable(model, comparison)],
        order=comparison.order,
        n_folds=comparison.n_folds,
        one_image=len(comparison.labels) == 1,
    )


def _better(a: ModelResult, b: ModelResult) -> float:
    return probability_a_better(a.accuracy.per_seed, b.accuracy.per_seed)


def _two_files(a: ModelResult, b: ModelResult, correct: Mapping[str, Correct]) -> Pair:
    """One seed somewhere: what can be said of two trained files, those of the same seed if any."""
    common = sorted(set(a.seeds) & set(b.seeds))
    seeds = (common[0], common[0]) if common else (min(a.seeds), min(b.seeds))
    found = mcnemar_exact(
        correct[a.name][a.seeds.index(seeds[0])], correct[b.name][b.seeds.index(seeds[1])]
    )
    return Pair(
        a=a.name,
        b=b.name,
        test=None,
        probability_a_better=_better(a, b),
        mcnemar=found.p,
        files=seeds,
        only_correct=(found.a_only, found.b_only),
    )
