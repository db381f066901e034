"""How far a study is: trials done, running, begun and missing, validation scores, how to go on.

Everything comes from the study's folder; test predictions are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakeoff.analysis.environments import differing, joined
from bakeoff.recipe.outline import Outline, outline, read_outline
from bakeoff.storage import lost_weights
from bakeoff.storage.declared_looks import PlannedOpenings, planned_openings
from bakeoff.storage.opened_weights import changed_trials
from bakeoff.storage.race_looks import dropped_models
from bakeoff.storage.study_folder import StudyFolder, to_go_on
from bakeoff.study.progress.trial_status import STATES, TrialStatus, trial_status
from bakeoff.utils import text
from bakeoff.utils.numbers import mean_of_known

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bakeoff.recipe import Recipe


@dataclass(frozen=True)
class StudyStatus:
    """A study as far as it has come."""

    folder: StudyFolder
    outline: Outline  # of the recipe
    searched: Recipe | None  # the recipe, where models of it are searched
    study: Mapping[str, Any]  # study.json
    trials: tuple[TrialStatus, ...]
    baselines: Mapping[str, bool]  # by name: whether it is fitted
    openings: int  # that the ledger knows of, or that lie there
    changed: tuple[str, ...]  # opened trials that are no longer what was opened, and how
    environments: tuple[Mapping[str, Any], ...]  # of the finished trials, or else the study's
    dropped: Mapping[str, int]  # by a race: each model, and after how many seeds
    looks: PlannedOpenings | None = None  # declared ones, and how many are done or begun
    without_weights: tuple[lost_weights.Trial, ...] = ()  # finished, and their weights are gone

    def of(self, model: str, *states: str) -> list[TrialStatus]:
        """Return a model's trials in one of the states; in any, if none is named."""
        return [t for t in self.trials if t.model == model and (not states or t.state in states)]

    @property
    def finished(self) -> int:
        """The number of finished trials."""
        return sum(trial.state == "finished" for trial in self.trials)

    def done(self, looks: PlannedOpenings) -> int:
        """Return how many looks are done; one that was begun stands in the ledger alone."""
        return min(looks.kept, max((int(o.name) for o in self.folder.openings()), default=0))

    @property
    def command(self) -> str:
        """What to type to go on."""
        return to_go_on(self.folder, self.study)


def status(path: str | Path) -> StudyStatus:
    """Return how far the study in a folder is.

    Raises
    ------
    StudyError : there is no study, or one of another format
    StorageError : a file was changed since it was written
    """
    folder = StudyFolder(path)
    study = folder.read_study()
    known, searched = _declared(folder, study)
    done, out = folder.finished(), dropped_models(folder)
    looks, validated = _looks(folder, known.looks), study["data"]["validation"] > 0
    seeds = known.seeds[: known.looks[max(looks.kept, 1) - 1]] if looks else known.seeds
    trials = [
        trial_status(
            folder,
            model,
            seed,
            n_folds=known.folds,
            finished=seed in done.get(model, ()),
            validated=validated,
        )
        for model in known.models
        for seed in sorted({*(() if model in out else seeds), *done.get(model, ())})
    ]
    environments = [
        each
        for model, seeds in done.items()
        for seed in seeds
        for each in folder.read_environments(model, seed)
    ]
    return StudyStatus(
        folder=folder,
        outline=known,
        searched=searched,
        study=study,
        trials=tuple(trials),
        baselines={name: folder.baseline(name).is_dir() for name in known.baselines},
        openings=folder.times_opened(),
        changed=tuple(_changed(folder)),
        environments=tuple(environments or [study["environment"]]),
        dropped=out,
        looks=looks,
        without_weights=lost_weights.without_weights(folder),
    )


def _declared(folder: StudyFolder, study: Mapping[str, Any]) -> tuple[Outline, Recipe | None]:
    """Return a study's recipe in outline, and whole where models of it are searched.

    From its own file: study.json has lost the order of the models.
    """
    found = read_outline(folder.read_recipe_file(study), frozenset(study["identities"]))
    if found is not None and not found.searched:
        return found, None
    from bakeoff.storage.study_recipe import read_recipe

    recipe = read_recipe(folder, study)
    found = outline(recipe)
    return found, recipe if found.searched else None


def _looks(folder: StudyFolder, declared: tuple[int, ...]) -> PlannedOpenings | None:
    if not declared:
        return None
    found = planned_openings(folder.read_ledger())
    return found if found.after == declared else PlannedOpenings(declared, 0)


def _changed(folder: StudyFolder) -> list[str]:
    openings = folder.openings()
    if not openings:
        return []
    newest = folder.read_opening(openings[-1])
    return [each.label for each in changed_trials(folder, newest, folder.read_ledger())]


# ── as JSON ──────────────────────────────────────────────────────────────────────────────────


def to_json(now: StudyStatus) -> dict[str, Any]:
    """Return what `bakeoff status --json` prints."""
    return {
        "study": now.outline.name,
        "folder": str(now.folder.path),
        "trials": [
            {
                "model": t.model,
                "seed": t.seed,
                "state": t.state,
                "epochs": t.epochs,
                **({} if t.folds is None else {"folds": t.folds}),
                **({"nodes": list(t.nodes)} if t.nodes else {}),
            }
            for t in now.trials
        ],
        "finished": now.finished,
        "declared": len(now.trials),
        "baselines": dict(now.baselines),
        "dropped": dict(now.dropped),
        "test_openings": now.openings,
        "looks": now.looks
        and {"declared": list(now.looks.after), "look": now.done(now.looks) or None},
        "changed": list(now.changed),
        "without_weights": lost_weights.labels(now.without_weights),
        "environment": joined(now.environments),
        "environments": differing(now.environments),
        "command": now.command,
    }


# ── for people ───────────────────────────────────────────────────────────────────────────────


_NAME_WIDTH = 12  # so much at least; what is longer is folded where the window is narrow


def table(now: StudyStatus) -> RenderableType:
    """Return the models with their trials and validation scores, for rich to print."""
    from rich.table import Table
    from rich.text import Text

    view = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    columns = [state for state in STATES if any(t.state == state for t in now.trials)]
    width = 2 + max(len(name) for name in now.outline.models)
    view.add_column("  model", overflow="fold", min_width=min(width, _NAME_WIDTH))
    for state in columns:
        view.add_column({"finished": "done"}.get(state, state), overflow="fold")
    images = now.study["data"]["validation"]
    if images and now.finished:
        view.add_column("validation accuracy, %", justify="right", overflow="fold")
    if now.finished:
        view.add_column("epoch", justify="right", overflow="fold")
        view.add_column("trial", justify="right", overflow="fold")
    for name in now.outline.models:
        cells = [_seeds(now.of(name, state)) for state in columns]
        view.add_row(Text(f"  {name}"), *cells, *_scores(now, name, validated=bool(images)))
    return view


def _seeds(trials: Sequence[TrialStatus]) -> str:
    """Return seeds as "0–4, 7", and how far those are that have begun."""
    if any(trial.state in ("running", "begun") for trial in trials):
        return ", ".join(f"{t.seed}{_progress(t)}" for t in trials)
    return text.whole_numbers([trial.seed for trial in trials], shortest=2)


def _progress(trial: TrialStatus) -> str:
    words = [text.counted(trial.epochs, "epoch")] if trial.epochs else []
    if trial.folds is not None:
        words = [text.counted(trial.folds, "fold")] if trial.folds else []
    words += [f"on {text.listed(trial.nodes)}"] if trial.nodes else []
    return f" ({', '.join(words)})" if words else ""


def _scores(now: StudyStatus, name: str, *, validated: bool) -> list[str]:
    if not now.finished:
        return []
    done = now.of(name, "finished")
    if not done:
        return [""] * (3 if validated else 2)
    documents = [trial.document or {} for trial in done]
    scores = []
    if validated:
        shares = [100 * document["validation"]["accuracy"] for document in documents]
        spread = f"  {min(shares):.2f}–{max(shares):.2f}" if len(shares) > 1 else ""
        scores = [f"{math.fsum(shares) / len(shares):.2f}{spread}"]
    numbers = [d["selected_epoch"] for d in documents if d["selected_epoch"] is not None]
    selected = _span(min(numbers), max(numbers)) if numbers else "none"
    return [*scores, selected, text.duration(mean_of_known([trial.seconds for trial in done]))]


def _about_looks(now: StudyStatus) -> list[str]:
    """Say which looks are declared, and which were when the test set was first opened."""
    declared = now.looks.after if now.looks else ()
    first = planned_openings(now.folder.read_ledger())
    seeds = text.listed(map(str, declared))
    if first.after and first.after != declared:
        said = f"looks after {seeds} seeds" if declared else "none"
        return [
            f"Looks at the test set after {text.listed(map(str, first.after))} seeds were declared "
            f"when it was first opened, and {now.done(first)} of them done; the recipe has {said} "
            "now."
        ]
    if now.looks:
        done = now.done(now.looks)
        return [f"Looks at the test set after {seeds} seeds are declared; {done} done."]
    return []


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def views(now: StudyStatus) -> list[RenderableType]:
    """Return all that `bakeoff status` prints, for rich to print one after the other."""
    return [title(now), table(now), "", *sentences(now)]


def as_text(now: StudyStatus) -> str:
    """Return what `bakeoff status` prints, 100 characters wide."""
    from rich.console import Console

    # a notebook's own console would show each part by itself, too
    console = Console(file=StringIO(), width=100, record=True, force_jupyter=False)
    for each in views(now):
        console.print(each, soft_wrap=isinstance(each, str), highlight=False, markup=False)
    return console.export_text()


def sentences(now: StudyStatus) -> list[str]:
    """Return, after the table: what is missing, whether the test set is sealed, how to go on."""
    said = _about_scores(now)
    if now.searched is not None:
        from bakeoff.report.words import about_search

        said += about_search.under_way(now.folder.path, now.searched)
    for name, after in now.dropped.items():
        said.append(f"The race dropped {name} after {text.counted(after, 'seed')}.")
    said += _about_looks(now)
    said += _about_openings(now)
    lacking = [name for name, fitted in now.baselines.items() if not fitted]
    if lacking:
        said.append(f"Baselines not fitted yet: {', '.join(lacking)}.")
    gone = lost_weights.advice(now.folder, now.without_weights)
    said += [gone] if gone else []
    unfinished = now.finished < len(now.trials) or lacking or now.changed or gone
    begun = max((line["opening"] for line in now.folder.read_ledger()), default=1)
    if unfinished or max((int(o.name) for o in now.folder.openings()), default=0) < begun:
        return [*said, f"To go on: {now.command}"]
    nothing = "Nothing"
    if now.looks and 0 < now.looks.kept < len(now.looks.after):
        said.append(f"Where a pair is not separated the next look follows: {now.command}")
        nothing = "Else nothing"
    again = text.shell_command("compare", now.folder.path)
    return [*said, f"{nothing} is missing; the table again: {again}"]


def _about_scores(now: StudyStatus) -> list[str]:
    """Say what the validation scores in the table are."""
    if not now.finished:
        return []
    images = now.study["data"]["validation"]
    if now.outline.folds:
        return [
            f"A trial is one repeat of {now.outline.folds} folds. Validation scores: mean "
            "over its folds, on images that also chose the epochs."
        ]
    if images:
        return [
            "Validation scores: mean and range over the seeds that are done, on "
            f"{images:,} images that also chose the epochs."
        ]
    return []


def _about_openings(now: StudyStatus) -> list[str]:
    """Say how often the test set was opened, and what of that is gone."""
    if not now.openings:
        return ["The test set is sealed."]
    times = "once" if now.openings == 1 else f"{now.openings} times"
    said = [f"The test set was opened {times}."]
    if now.changed:
        said.append(f"No longer what was opened: {text.some(now.changed)}.")
    lacking = now.openings - len(now.folder.read_ledger())
    if lacking > 0:
        said.append(
            f"{now.folder.ledger_file.name} lacks {text.counted(lacking, 'opening')}: "
            "restore it, or run the recipe again, which writes the line again."
        )
    return said


def title(now: StudyStatus) -> str:
    """Return the first line: the study's name and how many trials are done."""
    return f"{now.outline.name}: {now.finished} of {len(now.trials)} trials done"
