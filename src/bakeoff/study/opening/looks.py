"""Declared looks at the test set: what one of them opens, and which models the next one needs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.verdicts import Look, unsettled
from bakeoff.study.create import Prepared
from bakeoff.study.planning.stages import Stage
from bakeoff.utils.events import Watcher
from bakeoff.utils.text import counted, listed


def of_stage(prepared: Prepared, stage: Stage) -> Prepared:
    """Return the study with a stage's seeds alone: an opening holds no seeds of later looks."""
    if not prepared.recipe.looks:
        return prepared
    recipe = prepared.recipe.model_copy(update={"seeds": stage.seeds})
    return replace(prepared, recipe=recipe)


def needed(
    prepared: Prepared, stage: Stage, ledger: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Return the models to train first where a study goes on after its first look; else (): all.

    They are those that the newest look added seeds of, those that are new or have lost a trial.
    """
    before = [each for each in prepared.recipe.looks if each < len(stage.seeds)]
    if not before or not ledger:
        return ()
    seeds, done = ledger[-1]["models"], prepared.folder.finished()
    return tuple(
        name
        for name in prepared.recipe.models
        if name not in seeds
        or max(seeds[name]) >= before[-1]
        or not set(seeds[name]) <= set(done.get(name, ()))
    )


def still_open(
    prepared: Prepared, stage: Stage, comparison: Comparison, *, watcher: Watcher
) -> tuple[str, ...]:
    """Return the models that the next declared look needs; none where every pair is settled.

    A pair is settled by any verdict but `not separated`. Models of which all pairs are settled
    get no more seeds. The watcher is told.
    """
    after, seeds = prepared.recipe.looks, len(stage.seeds)
    if not after:
        return ()
    pairs, names = comparison.pairs, unsettled(comparison.pairs)
    done = sum(pair.verdict not in (None, "not separated") for pair in pairs)
    look = Look(after.index(seeds) + 1, after).text
    if not pairs:  # a race, which has left a single model
        watcher.note(f"{look}: one model is left, and no pair to settle")
        return ()
    wanted = [model.name for model in comparison.models if model.name in names]
    more = next((each for each in after if each > seeds), None)
    next_ = f"; up to {more} seeds of {listed(wanted)} come next" if wanted and more else ""
    watcher.note(f"{look}: {done} of {counted(len(pairs), 'pair')} settled{next_}")
    return tuple(wanted)
