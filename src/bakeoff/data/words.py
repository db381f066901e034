"""The names that people give to parts, arrays and columns of a data set; Bakeoff's words."""

import re
from collections.abc import Collection, Iterable, Sequence

_PARTS = {
    "train": ("train", "training", "trn", "tr"),
    "validation": ("val", "valid", "validation", "validate", "dev", "development", "eval", "va"),
    "test": ("test", "testing", "tst", "te"),
}
_SHORT = {"trn", "tr", "dev", "va", "tst", "te"}  # which may be languages, or anything else
_CONTESTS = {"publictest": "validation", "privatetest": "test"}  # Kaggle's, as in FER2013
_FILLING = ("set", "seg", "data", "dataset", "images", "imgs", "split", "folder")
_FORMS = (
    *("original", "originals", "raw", "rgb", "color", "colour"),
    *("gray", "grey", "grayscale", "greyscale", "resized", "cropped", "segmented"),
    *("processed", "preprocessed", "enhanced", "aug", "augmented", "augmentation"),
)
_IMAGES = (
    *("x", "image", "images", "img", "imgs", "data", "features", "pixels", "inputs", "input"),
    "samples",
)
_LABELS = ("y", "label", "labels", "target", "targets", "t", "class", "lbl", "lbls", "labs")
_NAMES = ("classnames", "labelnames", "targetnames", "classes", "labelsnames", "categories")

# Columns, as `bare` has their names; of several, the first of these is meant.
LABEL_COLUMNS = (
    *("label", "labels", "class", "target", "category", "y", "classname", "labelname", "breed"),
    *("species", "diagnosis", "emotion", "classid", "labelid", "digit", "variety", "type"),
)
FILE_COLUMNS = (  # "id" and "name" last: other columns have these names, too
    *("file", "filename", "filepath", "image", "imagepath", "imagename", "imageid", "path", "img"),
    *("imgpath", "imgname", "photo", "photoid", "files", "images", "id", "name"),
)
PART_COLUMNS = ("part", "split", "set", "subset", "partition", "usage", "dataset", "datasplit")
INDEX_COLUMNS = ("id", "index", "unnamed0", "", "rowid", "imageid")


def pieces(name: str) -> list[str]:
    """Return a name's words in small letters: "X_train" → ["x", "train"], "trainX" likewise."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.findall(r"[a-z]+|[0-9]+", spaced.casefold())


def part_of(name: str) -> str | None:
    """Return train, validation or test for what people call such a folder; None for others.

    "training_set", "seg_train" and "Valid" are such names; "training shoes" is not.
    """
    words = telling_words(name)
    if "".join(words) in _CONTESTS:
        return _CONTESTS["".join(words)]
    if len(words) != 1 or not name.isascii():
        return None
    each = {words[0], *(words[0].removesuffix(filling) for filling in _FILLING)}  # "testset"
    return next((part for part, spellings in _PARTS.items() if each & {*spellings}), None)


def telling_words(name: str) -> list[str]:
    """Return a name's words without those such as "set" and "images"."""
    return [word for word in pieces(name) if word not in _FILLING]


def form_of_pictures(name: str) -> int | None:
    """Return how processed the pictures of a folder are by its name, 0 for originals.

    "color", "grayscale" and "Augmented Images" say so; None for names that do not.
    """
    words = telling_words(name)
    return max(map(_FORMS.index, words)) if words and {*words} <= {*_FORMS} else None


def of_test_images(name: str) -> str:
    """Return what the table of test images beside one would be called: Train.csv → Test.csv."""
    for train, test in (("train", "test"), ("Train", "Test"), ("TRAIN", "TEST")):
        name = name.replace(train, test)
    return name


def is_submission(stem: str) -> bool:
    """Say whether a table is called as what a contest wants to have: sample_submission.csv."""
    return "submission" in pieces(stem)


def spelled_out(name: str) -> bool:
    """Say whether a part's folder is called by a whole word: "val", "train2017"; not "tr"."""
    return not _SHORT & set(pieces(name))


def part_and_rest(name: str) -> tuple[str, str] | None:
    """Return (train, "cat") for "cat_train", "train-cat", "catTrain" …; None for other names.

    The part's word is a whole one, the last of these; it may stand inside ("cat_train_v1").
    """
    words = re.split(r"[ _.-]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name))
    for place in reversed(range(len(words))):
        word, rest = words[place], words[:place] + words[place + 1 :]
        part = part_of(word) if spelled_out(word) else None
        if part is not None and any(rest):
            return part, "_".join(rest)
    return None


def role_of(name: str) -> str | None:
    """Return x, y, x_train …, y_test or class_names for what people call such an array."""
    words = pieces(name) if re.fullmatch(r"[\w. -]+", name) else []
    if "".join(words) in _NAMES:
        return "class_names"
    part, kind = None, None
    for word in words:
        found = next((part for part, all_ in _PARTS.items() if word in all_), None)
        if word in _IMAGES and kind in (None, "x"):
            kind = "x"
        elif word in _LABELS:
            kind = "y"
        elif found is not None and part is None:
            part = found
        elif word not in ("set", "arr", "array") and not (kind == "y" and word in _IMAGES):
            return None
    if kind is None:
        return None
    return kind if part is None else f"{kind}_{part}"


def roles(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of arrays by role; a role with two names is for the caller to refuse."""
    found: dict[str, list[str]] = {}
    for name in names:
        role = role_of(name)
        if role is not None:
            found.setdefault(role, []).append(name)
    return found


def bare(name: str) -> str:
    """Return a column's name in small letters and digits alone."""
    return "".join(each for each in name.casefold() if each.isalnum())


def column_called(columns: Sequence[str], words: Sequence[str]) -> int | None:
    """Return the index of the column whose name is one of `words`, the earlier word first."""
    known = {bare(each): index for index, each in enumerate(columns)}
    return next((known[word] for word in words if word in known), None)


def unused_columns(columns: Iterable[str], used: Collection[str]) -> list[str]:
    """Return the columns that are in no use and are more than an index of the rows."""
    return [each for each in columns if each not in used and bare(each) not in INDEX_COLUMNS]
