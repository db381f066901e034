"""Trials that two studies have: copies, or a model and a seed that were trained in each alike.

A model with a seed gets the same weights wherever it is trained alike: its predictions count once.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

from bakeoff.analysis.wording import seed_list
from bakeoff.errors import StudyError
from bakeoff.storage.opened_study import OpenedStudy
from bakeoff.storage.opened_weights import trial_key
from bakeoff.utils.text import some


def require_none_shared(studies: Sequence[OpenedStudy]) -> None:
    """Raise StudyError where two studies have trials of the same weights: they count once."""
    for one, other in combinations(studies, 2):
        known, found = _weights(one), _weights(other)
        shared = [trial for trial, sha in found.items() if known.get(trial) == sha]
        if shared:
            advice = "write all models and seeds into one recipe, and run that"
            if len(shared) in (len(known), len(found)):
                small, large = (one, other) if len(found) > len(known) else (other, one)
                advice = f"leave out {small.folder.path}: {large.folder.path} has all its trials"
            raise StudyError(
                f"{other.folder.path}: expected trials that are in no other study here, found "
                f"{_words(shared)} in {one.folder.path} too, with the same weights, which would "
                f"count twice: {advice}"
            )


def _weights(study: OpenedStudy) -> dict[tuple[str, int], str]:
    """Return the hashes of the weights that count, by model and seed; version 0.1.0 kept none."""
    opened = study.ledger[-1].get("weights") or {} if study.ledger else {}
    trials = [(name, trial.seed) for name, trials in study.models.items() for trial in trials]
    return {trial: opened[trial_key(*trial)] for trial in trials if trial_key(*trial) in opened}


def _words(trials: Iterable[tuple[str, int]]) -> str:
    """Return trials by model: "cnn (seeds 0–4) and mlp (seed 3)"."""
    seeds: dict[str, list[int]] = {}
    for name, seed in trials:
        seeds.setdefault(name, []).append(seed)
    return some([f"{name} ({seed_list(of)})" for name, of in seeds.items()])
