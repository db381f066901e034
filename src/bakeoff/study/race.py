"""A look of a race while a study trains: compares validation predictions, writes the result down.

No test image is touched, and a model that was ever tested is not dropped.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.model_scores import validation_correct
from bakeoff.analysis.race import Standing, level_of_a_look, spent_before, standings
from bakeoff.analysis.verdicts import ALPHA
from bakeoff.storage import race_looks
from bakeoff.storage.opened_weights import seen_trials
from bakeoff.study.create import Prepared
from bakeoff.utils.events import Watcher
from bakeoff.utils.text import declared_points, percent


def take_look(
    prepared: Prepared, seeds: Collection[int], *, of_looks: int, watcher: Watcher
) -> None:
    """Drop the models that are shown to be worse than the leader, once for these seeds.

    Parameters
    ----------
    seeds : those that the look may use; the trials among them that are missing are excused
    of_looks : how many looks the recipe declares in all, those of seeds that a run leaves out, too
    """
    folder, recipe = prepared.folder, prepared.recipe
    with folder.lock("study"):
        looks = race_looks.read_looks(folder)
        out = race_looks.dropped(looks)
        inside = [name for name in recipe.models if name not in out]
        held = [look for look in looks if look["after"] == len(seeds)]
        if any({*inside} <= {each["model"] for each in look["standings"]} for look in held):
            return
        done = folder.finished()
        trials = {name: [s for s in done.get(name, ()) if s in seeds] for name in inside}
        correct = _correct(prepared, trials)
        if not correct:
            return
        delta = max(recipe.margin, recipe.give_up)
        spent = spent_before(looks, len(seeds))
        level = level_of_a_look(len(recipe.models), of_looks, spent=spent)
        tested = seen_trials(folder.read_ledger())
        found = [
            replace(each, dropped=each.dropped and each.model not in tested)
            for each in standings(correct, delta=delta, level=level)
        ]
        document = {
            "after": len(seeds),
            "delta": delta,
            "level": level,
            "leader": found[0].model,
            "images": len(prepared.split.validation),
            "standings": [{**asdict(each), "seeds": trials[each.model]} for each in found],
        }
        race_looks.write_look(folder, document)
    if level < ALPHA * 1e-9:  # no more than rounding has left
        watcher.note(
            f"race: the look after {len(seeds)} seeds drops nothing: earlier looks, when fewer "
            "were declared, have used up the 5 % that all share"
        )
    for each in found:
        if each.dropped:
            watcher.note(_said(each, found[0], len(seeds), delta))


def _correct(
    prepared: Prepared, trials: Mapping[str, Sequence[int]]
) -> dict[str, NDArray[np.bool_]]:
    """Return which validation images each trial gets right, (seeds, n_images) of each model.

    trials : seeds by model; a model without any is left out
    """
    folder, n_classes = prepared.folder, prepared.data.n_classes
    labels = prepared.data.labels[prepared.split.validation]
    return {
        name: np.stack(
            [validation_correct(folder.trial(name, seed), labels, n_classes) for seed in seeds]
        )
        for name, seeds in trials.items()
        if seeds
    }


def _said(each: Standing, leader: Standing, after: int, delta: float) -> str:
    return (
        f"race: {each.model} is dropped after {after} seeds, with {percent(each.accuracy)} on "
        f"validation against {percent(leader.accuracy)} of {leader.model}: shown to be worse by "
        f"more than {declared_points(delta)} points"
    )
