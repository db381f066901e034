"""What a study's folder records of its recipe, data and split, and the writing of these files."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.source_images import image_keys, smallest_keys
from bakeoff.data.split import Split
from bakeoff.recipe import Recipe
from bakeoff.recipe.kept_paths import kept_paths
from bakeoff.storage import atomic, formats, study_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create.known_duplicates import twins


def recipe_part(recipe: Recipe, folder: StudyFolder) -> tuple[str, dict[str, Any]]:
    """Return recipe.yaml, and what study.json says of the recipe, which may change with it.

    RecipeError if it could not be read back.
    """
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


def fixed_part(data: DataSet, split: Split | Folds) -> dict[str, Any]:
    """Return what study.json says of data and split, which stay as the study was begun with them.

    Only cross-validation may get more repeats.
    """
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


def write_study(
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


def edited(folder: StudyFolder, old: Mapping[str, Any]) -> list[str]:
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
