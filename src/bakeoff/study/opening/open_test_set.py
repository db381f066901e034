"""Opening the test set: every finished trial predicts it once, and the ledgers say so.

The ledger is written first: from then on the test set counts as opened, whatever happens.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakeoff.analysis.statistics import unit_of
from bakeoff.data.folds import Folds
from bakeoff.data.source_images import image_keys, smallest_keys
from bakeoff.errors import TrialLost
from bakeoff.recipe.types import Preference
from bakeoff.storage import array_files, atomic, formats, ledger, opened_weights, written_folder
from bakeoff.storage.declared_looks import planned_openings
from bakeoff.storage.race_looks import dropped_models
from bakeoff.storage.search_folder import SearchFolder
from bakeoff.storage.study_recipe import require_as_declared
from bakeoff.storage.user_ledger import forgotten_lines, tell_user
from bakeoff.study.create import Prepared, test_hash
from bakeoff.study.executors.interface import MovableJob, RunJobs
from bakeoff.study.jobs.feature_jobs import feature_jobs
from bakeoff.study.jobs.model_identity import require_same_builder
from bakeoff.study.jobs.predict_job import PredictJob
from bakeoff.study.jobs.training_jobs import BASELINE_REPEAT
from bakeoff.utils.events import Planned, Watcher
from bakeoff.utils.text import some


def open_test_set(
    prepared: Prepared,
    do: RunJobs,
    *,
    without: Sequence[tuple[str, int]] = (),
    watcher: Watcher,
) -> bool:
    """Open the test set, unless the newest opening holds every finished trial already.

    Parameters
    ----------
    without : trials, (model, seed), that are missing and that the ledger is to name

    Returns
    -------
    Whether the test set was opened.

    Raises
    ------
    TrialLost : a prediction could not be made
    """
    folder = prepared.folder
    with folder.lock("study"):
        for leftover in folder.path.glob("openings/*.partial"):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        _restore_lines(prepared)
        lines, openings = folder.read_ledger(), folder.openings()
        before = folder.read_opening(openings[-1]) if openings else {}
        document = _document(prepared, lines)
        changed = opened_weights.changed_trials(folder, before, lines) if before else []
        if before and not changed and _holds(before, document):
            _record(prepared, before)
            return False
        _require_as_declared(prepared, document["models"])
        kept = _opened_before(openings[-1], changed) if openings else {}
        _require_whole(_places(prepared, document), kept)
        again = lines and all(document["opening"] > line["opening"] for line in lines)
        if again and (changed or not _declared(prepared, lines, document)):
            watcher.note(_said(document["opening"], changed))
        _record(prepared, document, without=without)
        target = folder.path / "openings" / str(document["opening"])
        partial = target.with_name(f"{target.name}.partial")
        _predict(prepared, document, partial, kept, do, watcher)
        _write(prepared, document, partial, target)
        shutil.rmtree(partial, ignore_errors=True)
    return True


def _restore_lines(prepared: Prepared) -> None:
    """Restore lines that were taken out of the study's ledger and that the user's ledger has."""
    folder, test = prepared.folder, test_hash(prepared.data, prepared.split)
    own = folder.read_ledger()
    for line in forgotten_lines(test, prepared.recipe.name, folder.path, own):
        ledger.append_ledger(folder.ledger_file, line)


def _document(prepared: Prepared, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the opening of what is there now: a new one, or one that was begun and not finished.

    Its number follows on what the ledger has, whatever became of the openings' folders.
    """
    folder = prepared.folder
    models = _finished(prepared)
    baselines = [name for name in prepared.recipe.baselines if folder.baseline(name).exists()]
    what = {
        "models": models,
        "baselines": baselines,
        "weights": opened_weights.weights_of(folder, models, baselines),
        "test": test_hash(prepared.data, prepared.split),
    }
    there = [int(path.name) for path in folder.openings()]
    begun = [line for line in lines if line["opening"] > max(there, default=0)]
    for line in reversed(begun):
        same = all(line.get(key) in (value, None, {}) for key, value in what.items())
        recorded = {**what, "opening": line["opening"], "weights": line.get("weights")}
        if same and not opened_weights.changed_trials(folder, recorded, lines):
            return {**what, "opening": line["opening"]}
    return {"opening": max([0, *there, *(int(line["opening"]) for line in lines)]) + 1, **what}


def _declared(
    prepared: Prepared, lines: Sequence[Mapping[str, Any]], document: Mapping[str, Any]
) -> bool:
    """Say whether an opening is the next look that was declared before the first."""
    entry = {**document, "looks": list(prepared.recipe.looks)}
    before, then = planned_openings(lines), planned_openings([*lines, entry])
    return bool(then.after) and then.kept == before.kept + 1


def _said(opening: int, changed: Sequence[opened_weights.Changed]) -> str:
    text = f"the test set is opened again, which makes opening {opening}: the verdicts are "
    if not changed:
        return f"{text}exploratory"
    gone = some([each.label for each in changed])
    return f"{text}exploratory; no longer what was opened before: {gone}"


def _holds(opening: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    opened = opening["models"]
    trials = all(
        set(seeds) <= set(opened.get(name, ())) for name, seeds in wanted["models"].items()
    )
    return trials and set(wanted["baselines"]) <= set(opening["baselines"])


def _finished(prepared: Prepared) -> dict[str, list[int]]:
    done, out = prepared.folder.finished(), dropped_models(prepared.folder)
    wanted = {n: set(prepared.recipe.seeds) for n in prepared.recipe.models if n not in out}
    found = {name: [s for s in done.get(name, []) if s in seeds] for name, seeds in wanted.items()}
    return {name: seeds for name, seeds in sorted(found.items()) if seeds}


def _require_as_declared(prepared: Prepared, models: Mapping[str, Sequence[int]]) -> None:
    """Refuse a trial of another model, seed or settings than the study's."""
    for name, seeds in models.items():
        model = prepared.recipe.models[name]
        require_same_builder(model, prepared.builders.get(name, ""))
        for seed in seeds:
            require_as_declared(prepared.folder, model, prepared.recipe.selection, seed)


def _require_whole(places: Mapping[str, Path], kept: Mapping[str, bytes]) -> None:
    """Refuse files that were changed or are gone, before the test set counts as opened.

    kept : predictions that are taken over, for which no weights are needed
    """
    for key, place in places.items():
        weights = (written_folder.WEIGHTS,) if f"{key}.npy" in kept else ()
        written_folder.require_whole(place, but=(written_folder.VALIDATION, *weights))


def _record(
    prepared: Prepared,
    opening: Mapping[str, Any],
    *,
    without: Sequence[tuple[str, int]] = (),
) -> None:
    """Write the opening's line in the study's ledger and in the user's, where it is not yet."""
    entry = _entry(prepared, opening, without)
    same = [
        line
        for line in prepared.folder.read_ledger()
        if line["opening"] == opening["opening"]
        and line["models"] == opening["models"]
        and line.get("weights", entry["weights"]) == entry["weights"]
    ]
    if not same:
        ledger.append_ledger(prepared.folder.ledger_file, entry)
    else:
        entry = {key: value for key, value in same[-1].items() if key in entry}
    tell_user(entry, prepared.folder.path)


def _entry(
    prepared: Prepared, opening: Mapping[str, Any], without: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Return the ledger's line of an opening that is made now."""
    study = formats.read_sealed_json(prepared.folder.study_file)
    return {
        "opening": opening["opening"],
        "time": datetime.now(UTC).isoformat("T", "seconds"),
        "study": study["name"],
        "recipe": study["recipe"],
        "split": study["split"],
        "test": opening["test"],
        "models": opening["models"],
        "weights": opening.get("weights", {}),
        "baselines": opening["baselines"],
        "seeds": list(prepared.recipe.seeds),
        **({"looks": list(prepared.recipe.looks)} if prepared.recipe.looks else {}),
        "without": sorted(
            f"{name}:{seed}"
            for name, seed in without
            if seed not in opening["models"].get(name, ())
        ),
        "margin": prepared.recipe.margin,
        "give_up": prepared.recipe.give_up,
        "prefer": prepared.recipe.prefer,
        "race": _race(prepared),
        "searches": _searches(prepared),
        "images": smallest_keys(image_keys(prepared.data, prepared.split.test)),
    }


def _race(prepared: Prepared) -> dict[str, Any] | None:
    """Return what the ledger says of a race: its looks, and who was dropped after how many."""
    if prepared.recipe.race is None:
        return None
    dropped = dropped_models(prepared.folder)
    return {"after": list(prepared.recipe.race.after), "dropped": dropped}


def _searches(prepared: Prepared) -> dict[str, Any]:
    """Return what the ledger says of searches: the budget of each model, and what was chosen."""
    found = {}
    for name, model in prepared.recipe.models.items():
        chosen = SearchFolder(prepared.folder.path, name).chosen() if model.search else None
        if model.search is not None and chosen is not None:
            budget = model.search.budget()
            found[name] = {**budget, "tried": chosen["tried"], "chosen": chosen["setting"]}
    return found


def _predict(
    prepared: Prepared,
    document: Mapping[str, Any],
    partial: Path,
    kept: Mapping[str, bytes],
    do: RunJobs,
    watcher: Watcher,
) -> None:
    """Write every prediction into `partial`; those of the opening before are taken over."""
    images = partial / "images.npy"
    jobs = _jobs(prepared, document, images, partial)
    timings = {f"{name}/{written_folder.TIMING}" for name in document["models"]}
    for name in [name for name in kept if name in jobs or name in timings]:
        atomic.write_file(partial / name, kept[name])
        jobs.pop(name, None)
    measured: set[str] = set()
    for name, job in jobs.items():  # a model's first trial says how long predicting takes
        if job.declared is not None and job.affinity not in measured:
            measured.add(job.affinity)
            jobs[name] = replace(job, timing=str(partial / job.affinity / written_folder.TIMING))
    if jobs:
        atomic.write_file(images, array_files.npy_bytes(prepared.data.images[prepared.split.test]))
        if isinstance(prepared.split, Folds):
            for repeat, tested in enumerate(prepared.split.tested):
                atomic.write_file(_folds_file(partial, repeat), array_files.npy_bytes(tested))
    models = [prepared.recipe.models[name] for name in document["models"]] if jobs else []
    if features := feature_jobs(models, images, maximum=prepared.data.maximum):
        watcher.begin("features", [plan for plan, _ in features])
        _do_all([job for _, job in features], do)
    watcher.begin("testing", [Planned(job.label, 0, 1.0) for job in jobs.values()])
    for turn in turns(list(jobs.values()), prepared.recipe.prefer):
        _do_all(turn, do)


def _do_all(jobs: Sequence[MovableJob], do: RunJobs) -> None:
    if lost := do(jobs):
        raise TrialLost(f"{lost[0].label} could not be tested: {lost[0].reason}: run it again")


def turns(jobs: Sequence[PredictJob], prefer: Preference) -> list[list[PredictJob]]:
    """Return the jobs that may be done together, in order.

    Those that measure times come last, each by itself, where models are ordered by time: beside
    other work it would be noise that decides.
    """
    together: list[PredictJob] = []
    alone: list[PredictJob] = []
    for job in jobs:
        (alone if prefer == "time" and job.timing is not None else together).append(job)
    return [each for each in (together, *([job] for job in alone)) if each]


def _opened_before(opening: Path, changed: Sequence[opened_weights.Changed]) -> dict[str, bytes]:
    """Return an opening's predictions of the trials that are still the same, and its timings.

    Raises StorageError where a prediction is not as it was recorded.
    """
    recorded = written_folder.read_manifest(opening)
    other = {f"{opened_weights.trial_key(each.model, each.seed)}.npy" for each in changed}
    names = [name for name in recorded if "/" in name and name not in other]
    timings = {
        f"{path.parent.name}/{path.name}": atomic.read_file(path)
        for path in opening.glob(f"*/{written_folder.TIMING}")
    }
    kept = {name: written_folder.read_recorded(opening, name, recorded) for name in names}
    return kept | timings


def _jobs(
    prepared: Prepared, document: Mapping[str, Any], images: Path, partial: Path
) -> dict[str, PredictJob]:
    """Return the prediction job of every file of the opening, by the file's name."""
    folded, data = isinstance(prepared.split, Folds), prepared.data
    places = _places(prepared, document)

    def job(key: str, label: str, affinity: str, declared: str | None, repeat: int) -> PredictJob:
        return PredictJob(
            label=label,
            affinity=affinity,
            source=str(places[key]),
            declared=declared,
            images=str(images),
            target=str(partial / f"{key}.npy"),
            maximum=data.maximum,
            n_classes=data.n_classes,
            folds=str(_folds_file(partial, repeat)) if folded else None,
            builder=prepared.builders.get(affinity, ""),
        )

    unit = unit_of(folded=folded)
    jobs = {}
    for name, seeds in document["models"].items():
        declared = prepared.recipe.models[name].model_dump_json()
        for seed in seeds:
            key = opened_weights.trial_key(name, seed)
            jobs[f"{key}.npy"] = job(key, f"{name} {unit} {seed}", name, declared, seed)
    for name in document["baselines"]:
        key = opened_weights.baseline_key(name)
        jobs[f"{key}.npy"] = job(key, f"{name} baseline", "baselines", None, BASELINE_REPEAT)
    return jobs


def _places(prepared: Prepared, document: Mapping[str, Any]) -> dict[str, Path]:
    """Return the folders of what an opening holds, by what their predictions are called in it."""
    models, baselines = document["models"], document["baselines"]
    return opened_weights.places_of(prepared.folder, models, baselines)


def _folds_file(partial: Path, repeat: int) -> Path:
    return partial / f"folds-{repeat}.npy"


def _write(prepared: Prepared, document: Mapping[str, Any], partial: Path, target: Path) -> None:
    names = [f"{key}.npy" for key in _places(prepared, document)]
    names += [
        f"{name}/{written_folder.TIMING}"
        for name in document["models"]
        if (partial / name / written_folder.TIMING).exists()
    ]
    files = {name: atomic.read_file(partial / name) for name in names}
    files["labels.npy"] = array_files.npy_bytes(prepared.data.labels[prepared.split.test])
    files["opening.json"] = formats.canonical(document)
    written_folder.write_folder(target, files, scratch=partial / "finished")
