"""Where the classes and parts of a folder of images are, in the layouts that people have."""

import os
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.data.folders.folder_walk import MOST_LEVELS, Seen, Walk
from bakeoff.data.folders.masks import folders_of_masks, holds_pictures
from bakeoff.data.folders.part_folders import (
    check_in_classes,
    check_no_parts_in_names,
    folder_part,
    part_folders,
)
from bakeoff.data.formats.csv_columns import is_called_table
from bakeoff.data.formats.other_kinds import other_kind
from bakeoff.data.image_files.decode_files import File
from bakeoff.data.image_files.image_container import is_called_image
from bakeoff.data.safe_reading import check_different
from bakeoff.data.sources import PARTS
from bakeoff.data.words import form_of_pictures, pieces, spelled_out
from bakeoff.errors import DataError
from bakeoff.utils.text import counted, listed, shown, some

_MASKS = 3  # fewer may be called so by chance
_OPENED = 20  # files without an ending that are opened to see what they are
_PIECES = {
    *("images", "image", "imgs", "img", "pictures", "photos"),
    *("fold", "batch", "shard", "chunk"),
}
_DRIVE = re.compile("[0-9]{8}T[0-9]{6}Z-[0-9]")  # Google Drive's: pets-20261101T120000Z-001
_TREE = "put each class into a folder of its own: {0}/cat/1.png, {0}/dog/1.png, …"


@dataclass(frozen=True)
class Layout:
    """The files of the parts in order (train, validation, test) and the names of the classes."""

    files: Mapping[str, list[File]]
    classes: list[str]


def find(root: Path, parts: Mapping[str, str] | None, seen: Seen) -> Layout:
    """Return where the images of a folder are.

    Parameters
    ----------
    root : the folder
    parts : names of the folders of the parts, as a recipe says them; None to recognise them
    seen : filled with what is beside the images

    Raises
    ------
    DataError
        If there are no two classes, or a part's classes are not those of training.
    """
    finder = _Finder(root, seen)
    if parts is not None:
        if "train" not in parts:
            raise DataError(
                f"parts: expected the folder of the training images too, found {listed(parts)}: "
                "write {folder: …, parts: {train: FOLDER, …}}"
            )
        places = {part: _stated(root, part, name) for part, name in parts.items()}
        check_different(places)
    else:
        root, places = finder.enter(root)
    if not places:
        if parts is None:
            finder.check_flat(root)
        classes = finder.classes(root, "", [])
        finder.check_levels(classes)
        files = _without_masks({"train": finder.walk.files(classes)}, seen)
        return Layout(files, finder.names)
    places = {part: places[part] for part in PARTS if part in places}
    layout: dict[str, list[File]] = {}
    for part, place in places.items():
        known = finder.names if part != "train" else []
        inside = finder.enter_part(part, Path(place))
        layout[part] = finder.walk.files(finder.classes(inside, f"{Path(place).name}/", known))
    return Layout(_without_masks(layout, seen), finder.names)


def _without_masks(layout: dict[str, list[File]], seen: Seen) -> dict[str, list[File]]:
    """Leave out masks, and say which, where there are enough in all parts to make a pattern."""
    masks = [file.name for files in layout.values() for file in files if file.mask]
    if len(masks) < _MASKS:
        seen.like_masks += masks
        return layout
    seen.masks += masks
    return {part: [file for file in files if not file.mask] for part, files in layout.items()}


def _stated(root: Path, part: str, name: str) -> str:
    path = root / name
    if not path.is_dir():
        raise DataError(f"parts.{part}: expected a folder in {shown(root)}, found no {shown(name)}")
    return str(path)


class _Finder:
    """Walks one folder; the classes of training, once found, are the classes."""

    def __init__(self, root: Path, seen: Seen) -> None:
        self.root = root
        self.walk = Walk(root, seen)
        self.seen = seen
        self.names: list[str] = []

    def enter(self, root: Path) -> tuple[Path, dict[str, str]]:
        """Return (the folder that classes or parts are in, the parts' folders by part).

        A folder that holds nothing but one folder of folders is entered.
        """
        start, places = root, {}
        for _ in range(MOST_LEVELS):
            folders, files = self.walk.inside(root)
            places = part_folders(folders, self.walk)
            only = self._only(root)
            if places or only is None:
                break
            root = only
            self.seen.loose += files
        if root != start:
            self.seen.entered.append(shown(os.path.relpath(root, self.root)))
        return root, places

    def enter_part(self, part: str, folder: Path) -> Path:
        """Return the folder that a part's classes are in: itself, or seg_train/ in seg_train/."""
        place = folder
        for _ in range(MOST_LEVELS):
            only = self._only(place)
            alike = only is not None and (
                only.name.casefold() == place.name.casefold()
                or folder_part(only.name) == part
                or holds_pictures(only.name)
            )
            if only is None or not alike:
                break
            place = only
        if place != folder:
            self.seen.entered.append(shown(os.path.relpath(place, self.root)))
        return place

    def _only(self, folder: Path) -> Path | None:
        """Return the folder of folders in a folder without pictures, tables or other folders."""
        folders, files = self.walk.inside(folder)
        told = any(is_called_image(name) or is_called_table(name) for name in files)
        if told or len(folders) != 1 or not self.walk.inside(folders[0][1])[0]:
            return None
        return Path(folders[0][1])

    def check_flat(self, root: Path) -> None:
        """Refuse folders of parts that are no classes."""
        folders, _ = self.walk.inside(root)
        parts = {
            part: (name, path) for name, path in folders if (part := folder_part(name)) is not None
        }
        only = all(folder_part(n) or n.casefold() == "evaluation" for n, _ in folders)
        if "train" in parts:
            plain = "test" in parts and all(spelled_out(name) for name, _ in parts.values())
            if plain or (only and len(parts) > 1):
                names = {part: name for part, (name, _) in parts.items()}
                check_in_classes(names, dict(parts.values()), self.walk)
        elif only and len(parts) > 1:
            self._check_trained(parts["validation"], parts["test"])
        check_no_parts_in_names(folders, self.walk)

    def _check_trained(self, validation: tuple[str, str], test: tuple[str, str]) -> None:
        """Refuse folders, (name, path), of validation and of test images that hold classes."""
        if min(len(self.walk.inside(path)[0]) for _, path in (validation, test)) > 1:
            first, second = shown(validation[0]), shown(test[0])
            raise DataError(
                f"expected a folder of training images, found the parts {first} and {second} "
                f"alone: to train on one, write {{folder: …, parts: {{train: {first}, test: "
                f"{second}}}}}"
            )

    def classes(self, parent: Path, prefix: str, known: list[str]) -> list[tuple[int, str]]:
        """Return (label, path) of the class folders in a folder."""
        folders, files = self.walk.inside(parent, note=True)
        composed = [unicodedata.normalize("NFC", name) for name, _ in folders]
        if not known:
            _check_kinds(parent, composed)
            if len(composed) < 2:
                raise self._too_few(parent, composed, files)
            self.names = known = composed
        strange = next((name for name in composed if name not in known), None)
        if strange is not None:
            about = self._about_strange(strange, parent, folders, known)
            raise DataError(
                f"expected in {prefix} only classes of training, found {shown(strange)}{about}"
            )
        return [
            (known.index(name), path) for name, (_, path) in zip(composed, folders, strict=True)
        ]

    def _about_strange(
        self, name: str, parent: Path, folders: Sequence[tuple[str, str]], known: Sequence[str]
    ) -> str:
        """Say what to do about a folder in a part, of `folders` there, that is no class."""
        again = name.casefold() == parent.name.casefold() or holds_pictures(name)
        if again and len(folders) == 1 and not self.walk.inside(folders[0][1])[0]:
            return (
                " with files in it that have no labels: write {folder: …, parts: {train: …}} "
                "without that part, and split.test takes a test part from training"
            )
        like = next((each for each in known if each.casefold() == name.casefold()), None)
        if like:
            return f": rename it to {shown(like)}, as in training"
        return (
            f" (classes of training: {some(list(map(shown, known)))}): rename it to one of these, "
            "or take it away"
        )

    def _too_few(self, parent: Path, classes: list[str], files: list[str]) -> DataError:
        have = f"{len(classes)}" + (f" ({shown(classes[0])})" if classes else "")
        if files:
            have += f" and {counted(len(files), 'file')} directly in {shown(parent.name)}/"
        outside = self.seen.links
        if outside:
            have += f" and {links_outside(outside)}"
        tables = [name for name in files if is_called_table(name)]
        cure = _TREE.format(shown(parent.name) or "folder")
        if outside:
            cure = "copy what the links lead to into the folder, or name that folder"
        elif tables:
            cure = f"if {tables[0]} lists files and labels, write {{table: {tables[0]}}}"
        elif files and not any(map(is_called_image, files)):
            cure = _about_file(parent, files) or cure
        return DataError(
            f"expected a sub-folder for each of at least 2 classes, found {have}: {cure}"
        )

    def check_levels(self, classes: list[tuple[int, str]]) -> None:
        """Refuse class folders that hold the parts, which would be mixed; note what seems so."""
        paths = {self.names[label]: path for label, path in classes}
        inside = {kind: [n for n, _ in self.walk.inside(path)[0]] for kind, path in paths.items()}
        if not all("train" in map(folder_part, names) for names in inside.values()):
            for path in paths.values():
                self._check_no_set_in(Path(path))
        for kind, names in inside.items():
            masks = folders_of_masks(names)
            inside[kind] = [name for name in names if name not in masks]
        plain = {kind for kind, names in inside.items() if not names}
        for kind, names in inside.items():
            _check_parts_above(kind, names)
            _check_one_level(kind, names, plain)
        first, *others = map(self._several_in, paths.values())
        if len(first) > 1 and all(names == first for names in others):
            self.seen.alike = [shown(name) for name in first]
            self._check_no_forms(paths)

    def _several_in(self, folder: str) -> list[str]:
        """Return the folders in a folder but masks; of a single one, those in it, and so on."""
        names: list[str] = []
        for _ in range(MOST_LEVELS):
            folders = dict(self.walk.inside(folder)[0])
            masks = folders_of_masks(folders)
            inside = [name for name in folders if name not in masks]
            names = inside or names
            if len(inside) != 1:
                break
            folder = folders[inside[0]]
        return names

    def _check_no_forms(self, classes: Mapping[str, str]) -> None:
        """Refuse color/, grayscale/ and segmented/ that hold the classes, the same in each."""
        forms = {name: form for name in classes if (form := form_of_pictures(name)) is not None}
        if len(forms) == len(classes):
            found = listed(f"{shown(name)}/" for name in classes)
            plainest = os.path.relpath(classes[min(forms, key=forms.__getitem__)], self.root)
            place = shown(str(Path(self.root.name, plainest)), limit=120)
            raise DataError(
                f"expected a folder for each class, found {found} with the same folders in each "
                f"({some(self.seen.alike)}), which seem to be the classes, in several forms of "
                f"the same pictures: name one of them ({place}); "
                "if they are the classes, call them something else"
            )

    def _check_no_set_in(self, place: Path) -> None:
        """Refuse a class folder that holds a whole data set: parts, with several classes inside."""
        folders, _ = self.walk.inside(place)
        for _ in range(MOST_LEVELS):
            if len(folders) == 1:
                place = Path(folders[0][1])
                folders, _ = self.walk.inside(place)
        parts = {part: path for name, path in folders if (part := folder_part(name)) is not None}
        classes = [len(self.walk.inside(path)[0]) for path in parts.values()]
        if "train" in parts and len(classes) > 1 and min(classes) > 1:
            name = shown(os.path.relpath(place, self.root), limit=120)
            raise DataError(
                f"expected a folder for each class, found a whole data set in {name}/, with "
                f"{listed(f'{shown(Path(path).name)}/' for path in parts.values())}: name that "
                "folder"
            )


def _check_parts_above(kind: str, inside: Sequence[str]) -> None:
    """Refuse a class with these folders inside, of which some are the parts."""
    parts = {part: name for name in inside if (part := folder_part(name)) is not None}
    if "train" in parts and {"validation", "test"} & parts.keys():
        found = listed(f"{shown(kind)}/{shown(name)}" for name in parts.values())
        wanted = listed(f"{shown(name)}/{shown(kind)}" for name in parts.values())
        raise DataError(
            f"expected the parts above the classes ({wanted}), found them below ({found}): move "
            "the folders"
        )


def _check_one_level(kind: str, inside: Sequence[str], plain: Collection[str]) -> None:
    """Refuse a class whose folders are called like `plain` classes, those without folders."""
    if len(inside) > 1 and all(unicodedata.normalize("NFC", name) in plain for name in inside):
        place = shown(kind)
        raise DataError(
            f"expected a folder for each class, found {place}/ that holds folders called like "
            f"those beside it ({some([shown(name) for name in inside])}): where {place}/ is a "
            "part, move the others into train/ beside it; else take it away"
        )


def _about_file(folder: Path, names: Sequence[str]) -> str:
    """Say what to do about files of which one may be the data; nothing where none may."""
    arrays = next((name for name in names if name.lower().endswith(".npz")), None)
    if arrays is not None:
        return f"if {arrays} holds images and labels, write {{npz: {arrays}}}"
    bare = set([name for name in names if not Path(name).suffix][:_OPENED])
    kinds = {name: other_kind(folder / name if name in bare else Path(name)) for name in names}
    found = {name: kind for name, kind in kinds.items() if kind is not None}
    found = {n: kind for n, kind in found.items() if not n.lower().endswith(".txt")} or found
    return next((f"{name} is {kind}: {cure}" for name, (kind, cure) in found.items()), "")


def _check_kinds(parent: Path, folders: Sequence[str]) -> None:
    """Refuse folders that are no classes: pictures and their masks, or one set in pieces."""
    tree = _TREE.format(shown(parent.name) or "folder")
    stems = {re.sub("[0-9]+", "0", name.casefold()) for name in folders}
    numbers = sorted(int(each[-1]) for name in folders if (each := re.findall("[0-9]+", name)))
    in_turn = numbers in ([*range(len(folders))], [*range(1, len(folders) + 1)])
    alike = len(folders) > 1 == len(stems) and in_turn
    if alike and (_PIECES & {*pieces(folders[0])} or _DRIVE.search(folders[0])):
        raise DataError(
            f"expected a folder for each class, found {some([f'{shown(n)}/' for n in folders])}, "
            f"called like numbered pieces of one set: {tree}; or list files and labels in a table, "
            "{table: …}; if they are classes, call them something else"
        )
    masks = folders_of_masks(folders)
    if masks and all(name in masks or holds_pictures(name) for name in folders):
        raise DataError(
            f"expected a sub-folder for each of at least 2 classes, found "
            f"{listed(f'{shown(name)}/' for name in folders)}, pictures and what is said of them: "
            f"{tree}"
        )


def links_outside(names: list[str]) -> str:
    """Say how many links lead outside the folder, with examples."""
    verb = "leads" if len(names) == 1 else "lead"
    return f"{counted(len(names), 'link')} that {verb} outside the folder ({some(names)})"
