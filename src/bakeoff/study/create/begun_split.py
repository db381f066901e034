"""The split that a study was begun with, where this version of Bakeoff would draw another one.

Since version 0.2 ties between classes of few images are drawn; before, the first class came first.
"""

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.recipe import Recipe
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import recorded_recipe


def as_begun(
    folder: StudyFolder, recipe: Recipe, data: DataSet, split: Split | Folds
) -> Split | Folds:
    """Return the study's own split where images and `split` are those it was begun with.

    split : as it is drawn now; it is returned where there is no study, or another one
    """
    if not folder.exists() or isinstance(split, Folds):
        return split
    old = folder.read_study()
    same = data.hash == old["data"]["hash"] and recorded_recipe(folder, old).split == recipe.split
    if not same or split.hash == old["split"] or not folder.split_file.exists():
        return split
    parts = read_split(folder)
    kept = Split(parts["train"], parts["validation"], parts["test"])
    return kept if kept.hash == old["split"] else split
