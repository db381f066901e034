"""What a study that is there may become: more seeds, more models; all else is refused aloud.

What was trained stays as it was trained, and what was opened stays as it was declared, also where
its trials are gone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.errors import StudyError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.kept_paths import without_paths
from bakeoff.storage.opened_weights import seen_trials
from bakeoff.storage.search_folder import SearchFolder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import recorded_recipe
from bakeoff.study.jobs.model_identity import identity, is_identity


def extended(
    folder: StudyFolder,
    old: Mapping[str, Any],
    recipe: Recipe,
    identities: Mapping[str, str],
    data: DataSet,
    split: Split | Folds,
    notes: list[str],
) -> tuple[Recipe, dict[str, str]]:
    """Return the recipe with what was trained before kept, or refuse."""
    _require_same_study(folder, old, recipe, data, split)
    ledger = folder.read_ledger()
    done, seen = folder.finished(), seen_trials(ledger)
    before = recorded_recipe(folder, old)
    searched = _written_out(folder, before, recipe)
    notes += [f"the study keeps the search that chose the settings of {name}" for name in searched]
    kept = {name for name in before.models if name in done or name in seen}
    for name in sorted(before.models.keys() - kept):
        _require_not_in_training(folder, old, recipe, name)
    for name in sorted(kept & set(recipe.models)):
        same = is_identity(old["identities"].get(name), recipe.models[name], recipe)
        if _left_open(folder, recipe, name) or not same:
            raise _changed(folder, name, before, recipe, trained=name in done)
    dropped = [name for name in before.models if name in kept and name not in recipe.models]
    notes += _kept_models(folder, before, dropped)
    trained = {seed for seeds in (*done.values(), *seen.values()) for seed in seeds}
    more = sorted(trained - set(recipe.seeds))
    if more:
        named = f"seed{'s' if len(more) > 1 else ''} {', '.join(map(str, more))}"
        notes.append(f"the study keeps {named}, trained earlier")
    if seen:
        notes += _changed_rules(ledger[0], before, recipe)
    union = recipe.model_copy(
        update={
            "seeds": tuple(sorted({*recipe.seeds, *more})),
            "looks": () if more else recipe.looks,
            "models": {
                **recipe.models,
                **searched,
                **{name: before.models[name] for name in dropped},
            },
        }
    )
    return union, {**identities, **{name: old["identities"][name] for name in dropped}}


def _require_not_in_training(
    folder: StudyFolder, old: Mapping[str, Any], recipe: Recipe, name: str
) -> None:
    """Refuse to change or drop a model that another run trains: its trial would come all the same.

    Of a model that leaves choices open, its search says what may not change.
    """
    model = recipe.models.get(name)
    if model is not None and (
        model.search is not None or is_identity(old["identities"].get(name), model, recipe)
    ):
        return
    if folder.in_training(name):
        raise StudyError(
            f"{folder.path}: expected {name} as the run declared it that trains it at this moment, "
            f"found it {'changed' if model else 'dropped'}: end that run first, or give the "
            "changed recipe another place with --out"
        )


def _written_out(folder: StudyFolder, before: Recipe, recipe: Recipe) -> dict[str, ModelRecipe]:
    """Return, with their searches, the models whose chosen settings are written out by hand now."""
    found = {
        name: before.models[name].model_copy(update={"python": model.python})
        for name, model in recipe.models.items()
        if model.search is None
        and name in before.models
        and SearchFolder(folder.path, name).chosen() is not None
    }
    return {
        name: model
        for name, model in found.items()
        if identity(model, recipe) == identity(recipe.models[name], recipe)
    }


def _left_open(folder: StudyFolder, recipe: Recipe, name: str) -> bool:
    """Say whether a model has choices among which no search has chosen yet."""
    return recipe.models[name].search is not None and not SearchFolder(folder.path, name).chosen()


def _require_same_study(
    folder: StudyFolder,
    old: Mapping[str, Any],
    recipe: Recipe,
    data: DataSet,
    split: Split | Folds,
) -> None:
    """Refuse a recipe of another name, of other images or of another split than the study's."""
    found = {"name": old["name"], "split": old["split"], "data": old["data"]["hash"]}
    wanted = {"name": recipe.name, "split": split.hash, "data": data.hash}
    words = {"name": "another study's name", "data": "other images", "split": "another split"}
    for key, word in words.items():
        if found[key] != wanted[key]:
            if key == "data" and recipe.data == recorded_recipe(folder, old).data:
                raise _other_images(folder, old, data)
            raise StudyError(
                f"{folder.path}: expected the {key} this study was begun with, found {word}: "
                "give the changed recipe another name, or choose another place with --out"
            )


def _kept_models(folder: StudyFolder, before: Recipe, dropped: Sequence[str]) -> list[str]:
    """Return a note on the models that the recipe lists no more; refuse those only Python knows."""
    for name in dropped:
        if before.models[name].python is not None:
            raise StudyError(
                f"{folder.path}: expected the recipe to list {name}, which is trained in this "
                "study already, found it missing: add it (a Python builder runs only where the "
                "recipe lists it), or choose another place with --out"
            )
    if not dropped:
        return []
    return [
        f"the study keeps {', '.join(dropped)}, trained earlier: a model is not dropped "
        "after it was seen; use --out for a study without it"
    ]


def _other_images(folder: StudyFolder, old: Mapping[str, Any], data: DataSet) -> StudyError:
    """Return what to say where a recipe names the same place, and other images lie there."""
    known = old["data"]
    parts = ("test",) if "folds" in known else ("train", "validation", "test")
    before = sum(known[part] for part in parts)
    found = "as many, but others" if before == len(data.labels) else f"{len(data.labels):,}"
    return StudyError(
        f"{folder.path}: expected the {before:,} images this study was begun with, found {found}: "
        "some were added, removed, changed, renamed or relabelled since, or the version of Bakeoff "
        "that began it read them otherwise (CHANGELOG.md); bring them back, or begin a new study "
        "with --out"
    )


def _changed(
    folder: StudyFolder, name: str, before: Recipe, recipe: Recipe, *, trained: bool
) -> StudyError:
    """Return what to say of a model that is declared otherwise than it was trained or opened.

    Raises StorageError where it is not the recipe that was changed: the search's choice is gone.
    """
    if before.models[name].search is not None:
        why = f"the test set was opened with what the search of {name} chose"
        SearchFolder(folder.path, name).require_chosen(why)
    old: Any = {"selection": before.selection, **without_paths(before.models[name].resolved())}
    new: Any = {"selection": recipe.selection, **without_paths(recipe.models[name].resolved())}
    if _left_open(folder, recipe, name):  # what it is now would be found by a search
        place, was, now = "all its settings", "declared", "choices that it leaves open"
    else:
        place, was, now = _first_difference(old, new, "") or (
            f"the code that {recipe.models[name].python} had",
            "then",
            "other code there",
        )
    its_own = place == "all its settings" or place.startswith(("layers", "training", "output"))
    rename = "give the changed model another name, " if its_own else ""
    when = "as it was trained" if trained else "as it was when the test set was opened"
    return StudyError(
        f"{folder.path}: expected {name} {when}, with {place} {was}; found "
        f"{now}: undo the change, {rename}or give the changed recipe another place with --out"
    )


def _changed_rules(opening: Mapping[str, Any], before: Recipe, recipe: Recipe) -> list[str]:
    """Return a note for each rule of the verdicts that was changed after the test set was seen.

    opening : the ledger's first line, which knows them since version 0.2; else the study before
    """
    rules = ("margin", "give_up", "prefer")
    then = {name: opening.get(name, getattr(before, name)) for name in rules}
    return [
        f"{name} was {was} when the test set was opened and is {getattr(recipe, name)} now: the "
        "verdicts follow the new one"
        for name, was in then.items()
        if was != getattr(recipe, name)
    ]


def _first_difference(old: Any, new: Any, place: str) -> tuple[str, str, str] | None:
    if isinstance(old, dict) and isinstance(new, dict):
        keys: list[Any] = [*old, *(key for key in new if key not in old)]
        pairs = [
            (f"{place}.{key}" if place else str(key), old.get(key), new.get(key)) for key in keys
        ]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(f"{place}[{i}]", a, b) for i, (a, b) in enumerate(zip(old, new, strict=True), 1)]
    else:
        return None if old == new else (place, _short(old), _short(new))
    found = (_first_difference(a, b, where) for where, a, b in pairs)
    return next((each for each in found if each), None)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} entries"
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
