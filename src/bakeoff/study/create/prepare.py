"""A recipe becomes a study that can be carried out: its folder created, or extended."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.errors import RecipeError, StudyError, UsageError
from bakeoff.recipe import Recipe
from bakeoff.recipe.apply_setting import with_networks
from bakeoff.recipe.architecture import describe, training_bytes
from bakeoff.storage import atomic, study_folder
from bakeoff.storage.search_folder import SearchFolder, with_chosen
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import recorded_recipe
from bakeoff.storage.user_ledger import require_user_ledger
from bakeoff.study.create.begun_split import as_begun
from bakeoff.study.create.extend import extended
from bakeoff.study.create.load_split import load_split, require_data
from bakeoff.study.create.record import edited, fixed_part, recipe_part, test_hash, write_study
from bakeoff.study.create.study_backbones import with_study_backbones
from bakeoff.study.environment import environment
from bakeoff.study.jobs.model_identity import builder_hash, identity
from bakeoff.utils.machine import available_memory
from bakeoff.utils.text import shown

_OF_A_STUDY = ("recipe.yaml", "split.npz", "study.json")  # what is there while one is created


@dataclass(frozen=True)
class Prepared:
    """A study ready to be carried out; `notes` are for the user.

    builders : by model, the hash of its Python builder as it was read; "" where it has none
    """

    folder: StudyFolder
    recipe: Recipe
    data: DataSet
    split: Split | Folds
    identities: Mapping[str, str]
    builders: Mapping[str, str]
    notes: tuple[str, ...]


def prepare(
    recipe: Recipe,
    folder: StudyFolder,
    *,
    device: str,
    opens: bool = False,
    data: DataSet | None = None,
    accepted: Callable[[], None] | None = None,
    trains_here: bool = True,
) -> Prepared:
    """Create the study in `folder`, or extend the one that is there.

    Parameters
    ----------
    opens : whether the test set is to be opened in the end, so that the user's ledger is needed
    data : what was given in Python, where the recipe names arrays; loaded without it
    accepted : called once nothing can be refused any more, before the slow part of creating the
        study, so that the caller can start what will be needed next
    trains_here : whether training happens on this machine, whose memory must then suffice

    Raises
    ------
    DataError, RecipeError
        If the data or a model cannot be used.
    StudyError
        If the folder holds something that this recipe would change.
    StorageError
        If the user's ledger could not be written.
    """
    _require_utf8(folder.path)
    notes: list[str] = []
    recipe = with_chosen(with_study_backbones(recipe, folder), folder.path)
    if recipe.split.folds is not None and folder.exists():
        recipe = _with_its_repeats(folder, recipe, notes)
    require_data(folder, recipe)
    text, declared = recipe_part(recipe, folder)
    data, split = load_split(recipe, data)
    split = as_begun(folder, recipe, data, split)
    recipe = with_networks(recipe, data.input_shape, data.n_classes)
    if device == "cpu" and trains_here:
        _require_memory(recipe, data, len(split.train))
    identities = {name: identity(model, recipe) for name, model in recipe.models.items()}
    builders = {name: builder_hash(model) for name, model in recipe.models.items()}
    for name, model in recipe.models.items():
        if model.search is not None:
            SearchFolder(folder.path, name).require_builder(builders[name])
    notes += data.notes
    _require_free(folder)
    if opens and not folder.exists():
        require_user_ledger(test_hash(data, split))
    with folder.lock("study"):
        atomic.clear_temporary(folder.path)
        if folder.exists():
            old = folder.read_study()
            notes += edited(folder, old)
            so_far = _as_far_as(old, split)
            recipe, identities = extended(folder, old, recipe, identities, data, so_far, notes)
            if opens:  # not before: a study that is refused leaves no trace
                require_user_ledger(test_hash(data, split))
            text, declared = recipe_part(recipe, folder)
            document = {**old, **declared}
            if isinstance(split, Folds) and split.hash != old["split"]:
                document |= fixed_part(data, split)
        else:
            if accepted is not None:
                accepted()
            document = {**declared, **fixed_part(data, split), **_begun_now(device)}
        document["identities"] = dict(identities)
        write_study(folder, document, text, data, split)
    return Prepared(folder, recipe, data, split, identities, builders, tuple(notes))


def _begun_now(device: str) -> dict[str, Any]:
    return {
        "environment": environment(device),
        "created": datetime.now(UTC).isoformat("T", "seconds"),
    }


def _require_utf8(path: Path) -> None:
    """Refuse a place that no ledger could name, before anything is written."""
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{shown(path)}: expected a path in UTF-8, found bytes that are none: choose another "
            "folder with --out"
        ) from None


def _with_its_repeats(folder: StudyFolder, recipe: Recipe, notes: list[str]) -> Recipe:
    """Return the recipe with as many repeats as the study has at least: they stay in its split."""
    before = recorded_recipe(folder, folder.read_study())
    if before.split.folds is None or len(before.seeds) <= len(recipe.seeds):
        return recipe
    notes.append(f"the study keeps its {len(before.seeds)} repeats")
    return recipe.model_copy(update={"seeds": before.seeds})


def _as_far_as(old: Mapping[str, Any], split: Split | Folds) -> Split | Folds:
    """Return the partitions that the study had: it may get more repeats."""
    return split.first(old["data"].get("repeats", 0)) if isinstance(split, Folds) else split


def _require_memory(recipe: Recipe, data: DataSet, images: int) -> None:
    """Refuse what this machine has not the memory to train, before any of it is asked for."""
    free = available_memory()
    for model in recipe.models.values():
        if model.layers is None:
            continue
        architecture = describe(model, data.input_shape, data.n_classes)
        wanted = training_bytes(model, architecture, images=images)
        if wanted > free:
            raise RecipeError(
                f"models.{model.name}: expected a model that trains in {free / 1e9:,.1f} GB, the "
                f"memory that is free, found one that needs about {wanted / 1e9:,.1f} GB: make "
                "its layers or its batch_size smaller"
            )


def _require_free(folder: StudyFolder) -> None:
    if folder.path.exists() and not folder.path.is_dir():
        raise StudyError(f"{folder.path}: expected a folder, found a file: choose another --out")
    with atomic.disk(folder.path):
        found = os.listdir(folder.path) if folder.path.exists() else []
    strangers = sorted(n for n in found if n not in _OF_A_STUDY and not n.startswith("."))
    if strangers and not folder.exists():  # asked last: another process may be creating it
        raise StudyError(
            f"{folder.path}: expected a study or an empty folder, found {strangers[0]} in it "
            "and no study.json: choose another --out"
        )
    _require_no_links(folder)


def _require_no_links(folder: StudyFolder) -> None:
    folders = [folder.path / name for name in (".locks", ".scratch", *study_folder.FOLDERS)]
    inside = [path for each in folders for depth in ("*", "*/*") for path in each.glob(depth)]
    for path in [*folders, *inside]:
        if path.is_symlink():
            raise StudyError(
                f"{path}: expected a folder, found a link: what Bakeoff writes and clears away "
                "lies in the study itself; put it there, or choose another --out"
            )
