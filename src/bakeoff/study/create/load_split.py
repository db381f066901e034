"""The data set of a recipe, loaded and split; refused where it is not what the recipe needs."""

from dataclasses import replace

from bakeoff.data import ArraysSource, DataSet, load
from bakeoff.data.folds import Folds, make_folds
from bakeoff.data.sources import missing
from bakeoff.data.split import Split, make_split
from bakeoff.errors import DataError, RecipeError, StudyError
from bakeoff.recipe import Recipe
from bakeoff.recipe.value_kinds import Misfit
from bakeoff.recipe.vocabulary.training import class_weights
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.utils.text import shown


def require_data(folder: StudyFolder, recipe: Recipe) -> None:
    """Raise StudyError where a study is there, and its data is not where the recipe says."""
    gone = missing(recipe.data)
    if gone is not None and folder.exists():
        known = folder.read_study()["data"]
        raise StudyError(
            f"{folder.path}: expected the images it was begun with ({known['name']}, SHA-256 "
            f"{known['hash'][:12]}…), found nothing at {shown(gone)}: put them there, or write "
            "where they are into a copy of its recipe.yaml and run that with --out "
            f"{folder.path}"
        )


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
