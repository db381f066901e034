"""Which folders are the parts of a data set, and which are classes that are called like parts."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeoff.data.folders.folder_walk import Walk
from bakeoff.data.formats.csv_columns import is_called_table
from bakeoff.data.sources import PARTS
from bakeoff.data.words import part_and_rest, part_of, spelled_out, telling_words
from bakeoff.errors import DataError
from bakeoff.utils.text import counted, listed, shown, some


def folder_part(name: str) -> str | None:
    """Return the part that a folder is called by; "train2017" and "test1" are numbered ones."""
    return part_of(name) or part_of(name.rstrip("0123456789"))


def part_folders(folders: Sequence[tuple[str, str]], walk: Walk) -> dict[str, str]:
    """Return the parts' folders by part, of folders (name, path) side by side; {} for classes.

    Where folders with pictures stand beside that are no parts, all are classes, unless training is
    spelled out and another part is there.

    Raises
    ------
    DataError
        If two folders are one part, or it is not plain what is for testing.
    """
    named: dict[str, list[tuple[str, str]]] = {}
    for name, path in folders:
        part = folder_part(name)
        if part is not None:
            named.setdefault(part, []).append((name, path))
    if "train" not in named:
        _note_class(folders, [name for found in named.values() for name, _ in found], walk)
        return {}
    if not any(walk.inside(path)[0] for _, path in named["train"]):
        return {}
    if _are_classes(folders, named, walk):
        return {}
    for part, found in named.items():
        if len(found) > 1:
            both = listed(shown(name) for name, _ in found)
            raise DataError(
                f"expected one folder of {part} images, found {both}: say which it is, as in "
                f"{{folder: …, parts: {{{part}: {shown(found[0][0])}, …}}}}"
            )
    places = {part: found[0][1] for part, found in named.items()}
    walk.seen.loose += [shown(n) for n, p in folders if p not in places.values()]
    for part in ("validation", "test"):
        _check_labelled(part, places, walk)
    _check_tested(places)
    return places


def _are_classes(
    folders: Sequence[tuple[str, str]], named: Mapping[str, list[tuple[str, str]]], walk: Walk
) -> bool:
    """Say whether folders called like parts are classes, as what is beside them; note it."""
    if len(named) > 1 and any(spelled_out(name) for name, _ in named["train"]):
        return False
    called = [name for found in named.values() for name, _ in found]
    others = [shown(n) for n, p in folders if n not in called and walk.has_pictures(p)]
    if not others:
        return False
    _check_plain(folders, named, walk)
    places = ", ".join(f"{part}: {shown(named[part][0][0])}" for part in PARTS if part in named)
    one = len(called) == 1
    walk.seen.called = (
        f"took {listed(map(shown, called))} for {'a class' if one else 'classes'}, as there are "
        f"pictures in {some(others)} too: if {'it is a part' if one else 'they are parts'}, write "
        f"{{folder: …, parts: {{{places}}}}}"
    )
    return True


def _note_class(folders: Sequence[tuple[str, str]], called: Sequence[str], walk: Walk) -> None:
    """Note a folder called like one of test or validation images, beside classes, without train."""
    called = [name for name in called if spelled_out(name)]
    others = [shown(n) for n, p in folders if n not in called and walk.has_pictures(p)]
    if called and len(others) > 1:
        names = listed(map(shown, called))
        walk.seen.called = (
            f"took {names} for {'a class' if len(called) == 1 else 'classes'}, as {some(others)}: "
            "if these pictures are for testing, put the others into train/, a folder for each "
            f"class in both; if they have no labels, take {names} away"
        )


def _check_plain(
    folders: Sequence[tuple[str, str]], named: Mapping[str, list[tuple[str, str]]], walk: Walk
) -> None:
    """Refuse train/ beside one folder of the same classes, perhaps a part by another name."""
    name, path = named["train"][0]
    inside = {each for each, _ in walk.inside(path)[0]}
    others = [(n, p) for n, p in folders if p != path and walk.has_pictures(p)]
    alike = [n for n, p in others if inside == {each for each, _ in walk.inside(p)[0]}]
    if spelled_out(name) and len(inside) > 1 and len(alike) == len(others) == 1:
        raise DataError(
            f"expected parts called train, validation and test, found {shown(name)}/ beside "
            f"{shown(alike[0])}/ with the same folders: write {{folder: …, parts: {{train: "
            f"{shown(name)}, test: {shown(alike[0])}}}}}; if {shown(name)}/ is a class, call it "
            "something else"
        )


def _check_labelled(part: str, places: Mapping[str, str], walk: Walk) -> None:
    """Refuse a part whose images are in no class folders."""
    if part not in places:
        return
    folders, files = walk.inside(places[part])
    if files and not folders:
        name, train = shown(Path(places[part]).name), shown(Path(places["train"]).name)
        raise DataError(
            f"expected a folder for each class in {name}/ as in {train}/, found "
            f"{counted(len(files), 'file')} directly in {name}/, which have no labels: write "
            f"{{folder: …, parts: {{train: {train}}}}}, and split.test takes a test part from "
            f"{train}/"
        )


def _check_tested(places: Mapping[str, str]) -> None:
    """Refuse training and validation without a test part."""
    if "validation" not in places or "test" in places:
        return
    train, other = (shown(Path(places[part]).name) for part in ("train", "validation"))
    raise DataError(
        f"expected a test part beside {train}/ and {other}/, found none: to test on "
        f"{other}/, write {{folder: …, parts: {{train: {train}, test: {other}}}}}; to have "
        f"a test part drawn from {train}/, write {{folder: …, parts: {{train: {train}, "
        f"validation: {other}}}}}"
    )


def _seem_parts(places: Mapping[str, str]) -> DataError:
    """Return the error about folders that seem to be parts; `places` are their names by part."""
    cure = ", ".join(f"{part}: {name}" for part, name in places.items())
    return DataError(
        f"expected a folder for each class, found {listed(places.values())}, which seem to be "
        f"parts: write {{folder: …, parts: {{{cure}}}}}"
    )


def check_in_classes(places: Mapping[str, str], paths: Mapping[str, str], walk: Walk) -> None:
    """Refuse parts whose training images are in no folders of classes.

    places, paths : the names and the paths of the folders, by part
    """
    train = places["train"]
    folders, files = walk.inside(paths[train])
    if folders:
        return
    others = listed(f"{shown(name)}/" for part, name in places.items() if part != "train")
    name = shown(train)
    expected = f"expected a folder for each class in {name}/, which is beside {others}, found"
    tables = [shown(each) for each in files if is_called_table(each)]
    if tables:
        raise DataError(
            f"{expected} the table {tables[0]} in it: list the images of all parts in one table "
            f"beside {name}/, as {name}/1.png, with a column split (train, validation or test), "
            f"and write {{table: …}}; or name {name}/{tables[0]} alone"
        )
    raise DataError(
        f"{expected} {counted(len(files), 'file')} directly in it: put each class into a folder "
        f"of its own: {name}/cat/1.png, {name}/dog/1.png, …; or list files and labels in a table, "
        "{table: …}"
    )


def _check_whole_beside(folders: Sequence[tuple[str, str]], walk: Walk) -> None:
    """Refuse rps/ beside rps-test-set/ with the same folders: training that is not called so."""
    split = {name: part_and_rest(name) for name, _ in folders}
    called: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for name, path in folders:
        called.setdefault(tuple(telling_words(name)), []).append((name, path))
    for name, path in folders:
        part, rest = split[name] or ("train", "")
        if part == "train":
            continue
        for other, whole in called.get(tuple(telling_words(rest)), []):
            here, there = _below(walk, path), _below(walk, whole)
            if other != name and here and len(there) > 1 and here <= there:
                others = (p for n, p in folders if split[n] is None and n != other)
                if any(_below(walk, each) == there for each in others):
                    return  # the same folders in all: views of each class, say
                raise _seem_parts({"train": shown(other), part: shown(name)})


def _below(walk: Walk, path: str) -> set[str]:
    return {name for name, _ in walk.inside(path)[0]}


def check_no_parts_in_names(folders: Sequence[tuple[str, str]], walk: Walk) -> None:
    """Refuse folders of classes whose names say the parts: cat_train, cat_test and so on."""
    _check_whole_beside(folders, walk)
    split = {name: None if folder_part(name) else part_and_rest(name) for name, _ in folders}
    once = len({found[0] for found in split.values() if found is not None}) == len(folders)
    places: dict[str, dict[str, str]] = {}
    for name, found in split.items():
        if found is not None:
            kind = re.sub("[0-9]+", "", found[1]) if once else found[1]  # 1_train, 2_test
            places.setdefault(kind, {})[found[0]] = shown(name)
    if not places or not all("train" in each and len(each) > 1 for each in places.values()):
        return
    if any(split[name] is None and walk.has_pictures(path) for name, path in folders):
        return
    names = [name for each in places.values() for name in each.values()]
    kind, first = next(iter(places.items()))
    each = {part: first[part] for part in PARTS if part in first}
    if len(places) == 1:
        check_in_classes(each, {name: path for name, path in folders if shown(name) in names}, walk)
        raise _seem_parts(each)
    moves = listed(f"{name}/ to {part}/{shown(kind)}/" for part, name in each.items())
    raise DataError(
        f"expected the parts above the classes, found them in the folders' names ({some(names)}): "
        f"move {moves}{', and so on' if len(places) > 1 else ''}"
    )
