"""A recipe becomes a study's folder: data loaded, split, recorded. What may follow: extend.py."""

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.data import ArraysSource, DataSet, load
from bakeoff.data.folds import Folds, make_folds
from bakeoff.data.source_images import image_keys, smallest_keys
from bakeoff.data.split import Split, make_split
from bakeoff.errors import DataError, RecipeError, StudyError, UsageError
from bakeoff.recipe import Recipe
from bakeoff.recipe.apply_setting import with_networks
from bakeoff.recipe.architecture import describe, training_bytes
from bakeoff.recipe.kept_paths import kept_paths
from bakeoff.recipe.value_kinds import Misfit
from bakeoff.recipe.vocabulary.training import class_weights
from bakeoff.storage import atomic, formats, study_folder
from bakeoff.storage.search_folder import SearchFolder, with_chosen
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import recorded_recipe
from bakeoff.storage.user_ledger import require_user_ledger
from bakeoff.study.create.begun_split import as_begun
from bakeoff.study.create.extend import extended, require_data
from bakeoff.study.create.known_duplicates import twins
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
    text, declared = _written(recipe, folder)
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
            notes += _edited(folder, old)
            so_far = _as_far_as(old, split)
            recipe, identities = extended(folder, old, recipe, identities, data, so_far, notes)
            if opens:  # not before: a study that is refused leaves no trace
                require_user_ledger(test_hash(data, split))
            text, declared = _written(recipe, folder)
            document = {**old, **declared}
            if isinstance(split, Folds) and split.hash != old["split"]:
                document |= _fixed_part(data, split)
        else:
            if accepted is not None:
                accepted()
            document = {**declared, **_fixed_part(data, split), **_begun_now(device)}
        document["identities"] = dict(identities)
        _write(folder, document, text, data, split)
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


def load_split(recipe: Recipe, given: DataSet | None = None) -> tuple[DataSet, Split | Folds]:
    """Return a recipe's data set, or the `given` one, and its split."""
    data = given or load(recipe.data)
    if isinstance(recipe.data, ArraysSource) and data.hash != recipe.data.arrays:
        raise StudyError(
            "data: expected the arrays that the study was declared with, found others: they were "
            "changed since; undo that, or declare the study again, under another name"
        )
    _require_classes(recipe, data)
    if recipe.split.folds is not None:
        return data, _load_folds(recipe, data, recipe.split.folds)
    split = make_split(
        data.labels,
        test_start=data.test_start,
        validation=recipe.split.validation,
        test=recipe.split.test,
        seed=recipe.split.seed,
        validation_start=data.validation_start,
        class_names=data.class_names,
    )
    if data.validation_start is not None:
        data = replace(data, notes=(*data.notes, _own_validation(recipe)))
    return data, split


def _own_validation(recipe: Recipe) -> str:
    if recipe.split.validation.amount:
        return "validation is the data's own part; split.validation is not used"
    return "split.validation is 0: the data's own validation part is for training"


def _require_classes(recipe: Recipe, data: DataSet) -> None:
    """Refuse weights of classes that the data does not have."""
    for model in recipe.models.values():
        declared = model.training.options.class_weight
        try:
            if declared is not None:
                class_weights(declared, tuple(data.class_names))
        except Misfit as misfit:
            place = f"models.{model.name}.training.class_weight"
            raise RecipeError(f"{place}: {misfit}") from None


def _load_folds(recipe: Recipe, data: DataSet, folds: int) -> Folds:
    own = {"test": data.test_start, "validation": data.validation_start}
    for part, start in own.items():
        if start is not None:
            raise DataError(
                f"split.folds: expected data without a {part} part of its own, found {data.name}, "
                "which has one: take folds out of the split, or give all images as one part"
            )
    return make_folds(
        data.labels,
        folds=folds,
        repeats=len(recipe.seeds),
        validation=recipe.split.validation,
        seed=recipe.split.seed,
        class_names=data.class_names,
    )


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


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def _written(recipe: Recipe, folder: StudyFolder) -> tuple[str, dict[str, Any]]:
    """Return recipe.yaml, and what study.json says of it; RecipeError if it could not be read."""
    place = folder.path.resolve()
    text, plain = recipes.dump(recipe, folder=place), kept_paths(recipe.resolved(), place)
    recipes.parse(plain, origin=recipe.name, folder=place)
    return text, {
        "format": study_folder.FORMAT,
        "name": recipe.name,
        "title": recipe.title,
        "recipe": formats.sha256(text.encode()),
        "resolved": plain,
    }


def _fixed_part(data: DataSet, split: Split | Folds) -> dict[str, Any]:
    folds = {"folds": split.n_folds, "repeats": split.repeats} if isinstance(split, Folds) else {}
    counts = {
        name: np.bincount(data.labels[part], minlength=data.n_classes).tolist()
        for name, part in split.parts().items()
        if name != "test"
    }
    duplicates, examples = twins(data, split)
    return {
        "split": split.hash,
        "split_file": formats.sha256(_split_file(data, split)),
        "data": {
            "name": data.name,
            **{name: len(part) for name, part in split.parts().items()},
            "hash": data.hash,
            "test_hash": test_hash(data, split),
            "input_shape": list(data.input_shape),
            "class_names": list(data.class_names),
            "maximum": data.maximum,
            "deep_white": data.deep_white,
            "dtype": data.images.dtype.name,
            "pictures": None if data.pictures is None else asdict(data.pictures),
            "test_start": data.test_start,
            "validation_start": data.validation_start,
            "notes": list(data.notes),
            "class_counts": counts,
            "twins": examples,
            **folds,
        },
        "duplicates": duplicates,
        # so that predicting them is noticed while no ledger knows them
        "test_images": smallest_keys(image_keys(data, split.test)),
    }


def test_hash(data: DataSet, split: Split | Folds) -> str:
    """Return the SHA-256 of the test images, their labels and the class names."""
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(data.images[split.test]).data)
    digest.update(data.labels[split.test].astype("<i8").tobytes())
    digest.update("\n".join(data.class_names).encode())
    return digest.hexdigest()


def _write(
    folder: StudyFolder, document: dict[str, Any], text: str, data: DataSet, split: Split | Folds
) -> None:
    """Write the files that are absent or differ; study.json, which counts, before recipe.yaml."""
    if not _is(folder.split_file, document["split_file"]):
        content = _split_file(data, split)
        document = {**document, "split_file": formats.sha256(content)}
        atomic.write_file(folder.split_file, content)
    wanted = {
        folder.study_file: formats.sealed_json(document),
        folder.recipe_file: text.encode(),
    }
    for path, content in wanted.items():
        if not _is(path, formats.sha256(content)):
            atomic.write_file(path, content)


def _is(path: Path, digest: str) -> bool:
    return path.exists() and formats.sha256(atomic.read_file(path)) == digest


def _edited(folder: StudyFolder, old: Mapping[str, Any]) -> list[str]:
    """Return a note for what was changed in the study's folder, and will be written again."""
    recorded = {folder.recipe_file: old["recipe"], folder.split_file: old["split_file"]}
    return [
        f"{path} was changed or lost: it is written again; to change the study, change the recipe "
        "that you run"
        for path, digest in recorded.items()
        if not _is(path, digest)
    ]


def _split_file(data: DataSet, split: Split | Folds) -> bytes:
    arrays: dict[str, NDArray[Any]] = {
        **split.parts(),
        "validation_labels": data.labels[split.validation],
    }
    if isinstance(split, Folds):  # the other arrays are those of the first fold
        arrays |= {"folds": split.tested, "validating": np.packbits(split.validating, axis=-1)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
