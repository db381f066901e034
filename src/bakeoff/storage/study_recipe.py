"""The recipe of a study, as recorded in its folder, with the settings that a search has chosen."""

import json
from collections.abc import Mapping
from typing import Any

from bakeoff import recipe as recipes
from bakeoff.errors import DamagedFile, RecipeError, StudyError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.kept_paths import without_paths
from bakeoff.storage.formats import canonical, damaged
from bakeoff.storage.search_folder import SearchFolder, with_chosen
from bakeoff.storage.study_folder import StudyFolder


def read_recipe(folder: StudyFolder, study: Mapping[str, Any]) -> Recipe:
    """Return the recipe in its own order; StorageError if its file is not as recorded.

    study : study.json
    """
    content = folder.read_recipe_file(study)
    place = folder.path.resolve()
    read = recipes.read(content, origin=str(folder.recipe_file), folder=place)
    return _with_chosen(read, folder)


def recorded_recipe(folder: StudyFolder, study: Mapping[str, Any]) -> Recipe:
    """Return the recipe that study.json holds; its models are in alphabetical order."""
    place = folder.path.resolve()
    try:
        recipe = recipes.parse(study["resolved"], origin=str(folder.study_file), folder=place)
    except RecipeError as error:
        raise DamagedFile(
            f"{folder.study_file}: expected a recipe that this version of Bakeoff reads, found one "
            f"that it refuses ({error}): use the version that wrote it"
        ) from error
    if recipe.models.keys() != study["identities"].keys():
        raise damaged(folder.study_file)
    return _with_chosen(recipe, folder)


def _with_chosen(recipe: Recipe, folder: StudyFolder) -> Recipe:
    """Return the recipe with what searches chose, which must be there where it was trained."""
    done = folder.finished()
    for name, model in recipe.models.items():
        if model.search is not None and done.get(name):
            why = f"{name} was trained with the setting that its search chose"
            SearchFolder(folder.path, name).require_chosen(why)
    return with_chosen(recipe, folder.path)


def require_as_declared(folder: StudyFolder, model: ModelRecipe, selection: str, seed: int) -> None:
    """Refuse a finished trial of other settings: it was put there, or trained meanwhile.

    Raises StudyError; StorageError where it was changed, or is another's.
    """
    if not as_declared(folder.read_trial(model.name, seed), model, selection):
        raise StudyError(
            f"{folder.trial(model.name, seed)}: expected a trial with the settings of the study, "
            "found other settings: delete this folder and run the study again"
        )


def as_declared(document: Mapping[str, Any], model: ModelRecipe, selection: str) -> bool:
    """Say whether a trial.json has a model's settings.

    Its builder's file and its backbone's study may lie elsewhere: `prepare` compares what they
    hold.
    """
    wanted = json.loads(canonical(without_paths(model.resolved())))
    found = without_paths(document.get("settings") or {})
    return (document.get("selection"), found) == (selection, wanted)
