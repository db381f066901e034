"""Carrying a search out: settings are asked for, trained like trials, judged on validation alone.

No test image is touched. What was asked for stands in the journal before it is trained, so a search
that was killed goes on with the same settings. As soon as one setting has ended, what came of it is
written down and the next one begins: no worker waits for another.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.errors import BakeoffError, RecipeError, StudyError, TrialLost
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.apply_setting import with_setting
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.dimension import Setting
from bakeoff.recipe.parsing.parse_search import TUNING_SEEDS
from bakeoff.recipe.types import Search
from bakeoff.recipe.value_kinds import Misfit
from bakeoff.storage import atomic, formats, written_folder
from bakeoff.storage.history import read_history
from bakeoff.storage.scratch import scratch_folder
from bakeoff.storage.search_folder import (
    SearchFolder,
    Tried,
    best_first,
    declared,
    setting_name,
    setting_words,
)
from bakeoff.study.create import Prepared
from bakeoff.study.executors.interface import Executor, Lost, MovableJob
from bakeoff.study.jobs.feature_jobs import FeatureJob
from bakeoff.study.jobs.job import TrainJob
from bakeoff.study.jobs.model_identity import identity
from bakeoff.study.jobs.training_jobs import missing_features, train_job, write_parts
from bakeoff.study.tuning import samplers
from bakeoff.utils.events import Planned, Watcher
from bakeoff.utils.text import counted, percent

_WARM_UP = 0.2  # share of the epochs before which none is
_AHEAD = 2  # settings of each worker that are asked for at once, where they follow from nothing


def searching(recipe: Recipe, folder: Path, only: Sequence[str] = ()) -> list[str]:
    """Return the models whose search is not done."""
    return [
        name
        for name, model in recipe.models.items()
        if model.search is not None
        and (not only or name in only)
        and SearchFolder(folder, name).chosen() is None
    ]


def search(
    prepared: Prepared, place: Executor, *, only: Sequence[str] = (), watcher: Watcher
) -> None:
    """Carry out what is left of the searches, and write down what they choose.

    Raises StudyError where no setting of a model could be trained, TrialLost where some were lost.
    """
    for name in searching(prepared.recipe, prepared.folder.path, only):
        samplers.require(_search(prepared.recipe.models[name]))
    with (
        prepared.folder.lock("search"),
        scratch_folder(prepared.folder.scratch.resolve()) as scratch,
    ):
        for name in prepared.recipe.models:  # those of finished searches, too
            atomic.clear_temporary(SearchFolder(prepared.folder.path, name).path)
        write_parts(prepared.data, prepared.split, scratch)  # type: ignore[arg-type]
        # once more: somebody may have done one meanwhile
        for name in searching(prepared.recipe, prepared.folder.path, only):
            _Search(prepared, name, scratch, place, watcher).carry_out()


def _search(model: ModelRecipe) -> Search:
    if model.search is None:
        raise ValueError(f"{model.name} leaves no choice open")
    return model.search


def _foreseen(search: Search) -> bool:
    """Say whether no setting depends on the results of others, nor on the time."""
    return search.sampler != "tpe" and search.pruning == "none" and search.minutes is None


def _features_needed(model: ModelRecipe) -> str:
    """Return which features a model is trained on, as text; "" where it has no frozen backbone."""
    changes = " ".join(each.identity for each in model.image_changes)
    return f"{model.frozen_backbone} {changes}" if model.frozen_backbone else ""


class _Search:
    """The search of one model, going on from its journal."""

    def __init__(
        self, prepared: Prepared, name: str, scratch: Path, place: Executor, watcher: Watcher
    ) -> None:
        self._prepared, self._name, self._scratch, self._place = prepared, name, scratch, place
        self._search = _search(prepared.recipe.models[name])
        self._most = samplers.limit(self._search)
        self._folder = SearchFolder(prepared.folder.path, name)
        self._ahead = _AHEAD if _foreseen(self._search) else 1
        self._watcher = watcher
        self._at_work: dict[str, Tried] = {}  # by label
        self._epochs: dict[int, int] = {}  # of settings whose jobs were made
        self._computed: set[str] = set()  # of models whose features are there, what they need
        self._folder.begin(
            {
                **declared(prepared.recipe, name),
                "split": prepared.split.hash,
                "data": prepared.data.hash,
                "builder": prepared.builders[name],
            }
        )
        self._opening = self._folder.opening()
        self._pruning_after = self._folder.pruning_after()
        self._tried = [
            replace(each, state=None, reason="") if each.state == "lost" else each  # once more
            for each in self._folder.tried(self._search.dimensions)
        ]
        spent = [each.elapsed or 0.0 for each in self._tried]
        self._before, self._started = max(spent, default=0.0), time.monotonic()

    def carry_out(self) -> None:
        """Try what is left to try, choose the best and write it down."""
        left = self._most - sum(each.state is not None for each in self._tried)
        if left > 0:
            self._begin()
        while jobs := self._jobs():
            self._compute_features(jobs)
            self._place.run_jobs(jobs, self._after)
        best = best_first(self._tried)
        if not best:
            raise self._nothing_found()
        self._folder.choose(best[0], self._about(best[0]))
        tried = counted(len(self._tried), "setting")
        self._watcher.note(
            f"{self._name}: chosen among {tried} by validation: {self._in_words(best[0])} "
            f"({percent(best[0].accuracy or 0.0)})"
        )

    def _nothing_found(self) -> BakeoffError:
        reason = next((f" ({t.reason})" for t in reversed(self._tried) if t.reason), "")
        text = (
            f"models.{self._name}: expected a setting that can be trained to the end, found none "
            f"among {len(self._tried)}{reason}"
        )
        if any(each.state == "lost" for each in self._tried):
            return TrialLost(f"{text}: the same command tries once more what was lost")
        return StudyError(f"{text}: change its choices, and search among them with another --out")

    def _begin(self) -> None:
        todo = [number for number in range(self._most) if not self._is_done(number)]
        self._watcher.begin(f"tuning {self._name}", [self._planned(number) for number in todo])

    def _planned(self, number: int) -> Planned:
        """Return what a watcher is told of a setting: the declared epochs where no job is made."""
        recipe, minutes = self._prepared.recipe, self._search.minutes
        epochs = self._epochs.get(number, recipe.models[self._name].training.epochs)
        left = None if minutes is None else max(60 * minutes - self._elapsed(), 0.0)
        return Planned(self._label(number), epochs, 1.0, recipe.selection, left)

    def _after(self, label: str, lost: Lost | None) -> list[MovableJob]:
        """Take note of what came of a setting; return the jobs of those that begin in its place.

        None, until all others have ended, where features have to be computed before.
        """
        self._tell(self._at_work.pop(label), "" if lost is None else lost.reason)
        return [*self._jobs(among_others=True)]

    def _jobs(self, *, among_others: bool = False) -> list[TrainJob]:
        """Return the jobs of settings that may begin now: of the journal's first, then new ones.

        among_others : while others are at work; only those whose features are there
        """
        jobs: list[TrainJob] = []
        while len(self._at_work) < self._place.size * self._ahead:
            asked = self._next()
            job = None if asked is None else self._job(asked)
            if asked is None or (job and among_others and self._missing_features([job])):
                break
            if job is not None:
                self._at_work[job.label] = asked
                jobs.append(job)
        return jobs

    def _missing_features(self, jobs: Sequence[TrainJob]) -> list[tuple[Planned, FeatureJob]]:
        models = [job.recipe for job in jobs]
        new = [model for model in models if _features_needed(model) not in self._computed]
        return missing_features(self._prepared, new, self._scratch)

    def _compute_features(self, jobs: Sequence[TrainJob]) -> None:
        """Compute the features of backbones that these jobs need and nobody has computed."""
        if features := self._missing_features(jobs):
            self._watcher.begin("features", [plan for plan, _ in features])
            lost = self._place.run_jobs([job for _, job in features])
            self._begin()
            if lost:
                return
        self._computed |= {_features_needed(job.recipe) for job in jobs}

    def _about(self, best: Tried) -> Mapping[str, Any]:
        return {
            "words": setting_words(self._search.dimensions, best.values),
            "accuracy": best.accuracy,
            "cross_entropy": best.cross_entropy,
            "tried": len(self._tried),
        }

    def _next(self) -> Tried | None:
        """Return the setting to train next: one that was begun, or a new one; None for no more."""
        for each in self._tried:
            if each.state is None and self._label(each.number) not in self._at_work:
                return each
        minutes, number = self._search.minutes, len(self._tried)
        over = self._tried and minutes is not None and self._elapsed() >= 60 * minutes
        if over or number >= self._most:
            return None
        values = samplers.propose(
            self._search, self._tried, opening=self._opening, size=self._parameters
        )
        if values is None:
            return None
        thresholds = self._thresholds()
        self._folder.append(number, values=values, thresholds=list(thresholds) or None)
        self._tried.append(Tried(number, values, thresholds))
        return self._tried[-1]

    def _thresholds(self) -> tuple[float | None, ...]:
        """Return, by epoch, below which best validation accuracy so far a setting is stopped.

        The median of the settings that were trained to the end, as Optuna's MedianPruner has it;
        fixed when a setting is asked for, so that it ends the same whenever it is trained.
        """
        done = [each for each in self._tried if each.state == "done"]
        if self._search.pruning == "none" or len(done) < self._pruning_after:
            return ()
        accuracies = [self._history(each.number)["val_accuracy"] for each in done]
        curves = [np.fmax.accumulate(each) for each in accuracies]
        longest = max(map(len, curves))
        first = int(_WARM_UP * longest)
        medians: list[float | None] = [None] * first
        for epoch in range(first, longest):
            there = [curve[epoch] for curve in curves if len(curve) > epoch]
            medians.append(float(np.median(there)) if len(there) >= self._pruning_after else None)
        return tuple(medians)

    def _job(self, asked: Tried) -> TrainJob | None:
        """Return the job of a setting; None, and say so, where it makes no network."""
        prepared = self._prepared
        try:
            model, _ = self._described(asked.values)
        except (Misfit, RecipeError) as error:
            self._end(asked, state="impossible", reason=str(error))
            return None
        named = model.model_copy(update={"name": setting_name(asked.number), "search": None})
        hashes = {**prepared.identities, named.name: identity(named, prepared.recipe)}
        builders = {named.name: prepared.builders[self._name]}
        there = replace(prepared, identities=hashes, builders=builders)
        _, job = train_job(there, named, TUNING_SEEDS + asked.number, None, self._scratch)
        self._epochs[asked.number] = model.training.epochs
        self._watcher.planned(self._planned(asked.number))
        return replace(
            job,
            study=str(self._folder.path),
            called=self._label(asked.number),
            thresholds=asked.thresholds,
        )

    def _described(self, values: Setting) -> tuple[ModelRecipe, int]:
        """Return the model of a setting and its parameters: 0 where only Python knows them.

        Raises Misfit, RecipeError
        """
        data = self._prepared.data
        model = with_setting(self._prepared.recipe, self._name, values)
        if model.layers is None:
            return model, 0
        return model, describe(model, data.input_shape, data.n_classes).parameters

    def _parameters(self, values: Setting) -> int:
        """Return the parameters of a setting's network; 0 where it makes none."""
        with suppress(Misfit, RecipeError):
            return self._described(values)[1]
        return 0

    def _tell(self, asked: Tried, lost: str) -> None:
        place = self._folder.trial(asked.number)
        if not place.exists():
            self._end(asked, state="lost", reason=lost)
            return
        document = self._folder.read_trial(asked.number)
        timing = formats.read_sealed_json(place / written_folder.TIMING)
        state = "pruned" if document.get("pruned") else "done"
        state = "diverged" if document["diverged_epoch"] is not None else state
        validation = document["validation"] or {}
        self._end(
            asked,
            state=state,
            accuracy=validation.get("accuracy"),
            cross_entropy=validation.get("cross_entropy"),
            epochs=document["epochs_trained"],
            seconds=timing.get("seconds"),
        )

    def _end(self, asked: Tried, **said: Any) -> None:
        leader = best_first(self._tried)[:1]
        said["elapsed"] = round(self._elapsed(), 3)
        ended = replace(asked, **said)
        self._folder.append(asked.number, **{k: v for k, v in said.items() if v not in (None, "")})
        self._tried[asked.number] = ended
        if ended.usable and (not leader or ended.rank < leader[0].rank):
            accuracy, words = percent(ended.accuracy or 0.0), self._in_words(ended)
            self._watcher.note(f"{self._label(asked.number)} is best so far, {accuracy}: {words}")

    def _history(self, number: int) -> Mapping[str, Any]:
        place = self._folder.trial(number)
        if not place.exists():
            raise formats.missing(place, "the search's journal names it")
        content = written_folder.read_recorded(place, "history.csv")
        return read_history(place / "history.csv", content)

    def _in_words(self, tried: Tried) -> str:
        words = setting_words(self._search.dimensions, tried.values)
        return ", ".join(f"{name} {value}" for name, value in words.items())

    def _elapsed(self) -> float:
        return self._before + time.monotonic() - self._started

    def _label(self, number: int) -> str:
        return f"{self._name} {setting_name(number).replace('-', ' ')}"

    def _is_done(self, number: int) -> bool:
        return number < len(self._tried) and self._tried[number].state is not None
