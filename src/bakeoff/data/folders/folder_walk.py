"""What lies in a folder of images and below: links followed inside it, no folder read twice."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.data.folders.masks import folders_of_masks, masks_beside
from bakeoff.data.image_files.decode_files import File
from bakeoff.data.image_files.image_container import is_called_image
from bakeoff.utils.clutter import is_visible
from bakeoff.utils.text import natural, shown
from bakeoff.utils.user_paths import require_utf8_names

MOST_LEVELS = 8  # levels of folders inside a class, or around the classes


@dataclass
class Seen:
    """What there is in a folder beside the images of classes; names are as shown."""

    links: list[str] = field(default_factory=list)  # not followed
    loose: list[str] = field(default_factory=list)  # files and folders beside the class folders
    deep: list[str] = field(default_factory=list)  # folders inside class folders, read too
    deeper: list[str] = field(default_factory=list)  # likewise, too deep: not looked into
    again: list[str] = field(default_factory=list)  # folders not entered, as they are read already
    masks: list[str] = field(default_factory=list)  # pictures that are left out as masks
    mask_folders: list[str] = field(default_factory=list)  # folders likewise
    like_masks: list[str] = field(default_factory=list)  # pictures that may be masks, and are read
    entered: list[str] = field(default_factory=list)  # folders around the classes
    called: str = ""  # what is said of classes that are called like parts
    alike: list[str] = field(default_factory=list)  # the folders in every class, if the same


class Walk:
    """Looks into one folder and those below; `seen` is told what is beside the images."""

    def __init__(self, root: Path, seen: Seen) -> None:
        self.root = root
        self.within = os.path.realpath(root) + os.sep
        self.seen = seen

    def inside(
        self, parent: str | Path, *, note: bool = False
    ) -> tuple[list[tuple[str, str]], list[str]]:
        """Return ((name, path) of the folders in a folder, names of the files)."""
        folders, files, links = [], [], []
        for entry in _entries(parent):
            target = self._followed(entry)
            if target is None:
                links.append(shown(entry.name))
            elif _is_folder(entry):
                folders.append((entry.name, target))
            else:
                files.append(shown(entry.name))
        if note:
            self.seen.links += links
            self.seen.loose += files
        return folders, files

    def has_pictures(self, folder: str) -> bool:
        """Say whether a file in a folder, or below, is called like a picture."""
        waiting, known = [folder], {_identity(folder)}
        while waiting:
            folders, files = self.inside(waiting.pop())
            if any(map(is_called_image, files)):
                return True
            fresh = {_identity(path): path for _, path in folders}
            waiting += [path for identity, path in fresh.items() if identity not in known]
            known |= fresh.keys()
        return False

    def files(self, classes: Sequence[tuple[int, str]]) -> list[File]:
        """Return the files in class folders, (label, path), and below, in natural order."""
        roots = {_identity(path) for _, path in classes}
        found: list[File] = []
        for label, path in classes:
            found += self._below(path, label, 0, set(roots))
        return found

    def _below(
        self, folder: str, label: int, depth: int, known: set[tuple[int, int]]
    ) -> Iterator[File]:
        """Yield the files in a folder and below.

        known : the folders that are not to be entered: those of classes, and those read already
        """
        entries = _entries(folder)
        masks, usual = masks_beside([e.name for e in entries if is_called_image(e.name)])
        aside = folders_of_masks([e.name for e in entries if _is_folder(e)])
        for entry in entries:
            name = shown(os.path.relpath(entry.path, self.root), limit=120)
            target = self._followed(entry)
            if target is None:
                self.seen.links.append(name)
            elif not os.path.isdir(target):
                mask = entry.name in masks
                if mask and not usual:
                    self.seen.like_masks.append(name)
                yield File(target, label, name, mask and usual)
            elif entry.name in aside:
                self.seen.mask_folders.append(name)
            elif _identity(target) in known:
                self.seen.again.append(name)
            elif depth == MOST_LEVELS:
                self.seen.deeper.append(name)
            else:
                self.seen.deep.append(name)
                known.add(_identity(target))
                yield from self._below(target, label, depth + 1, known)

    def _followed(self, entry: "os.DirEntry[str]") -> str | None:
        """Return where an entry leads; None where it leaves the folder, goes nowhere or back up."""
        if not entry.is_symlink():
            return entry.path
        target = os.path.realpath(entry.path)
        above = (os.path.dirname(entry.path) + os.sep).startswith(target + os.sep)
        real = (os.path.realpath(os.path.dirname(entry.path)) + os.sep).startswith(target + os.sep)
        good = target.startswith(self.within) and os.path.exists(target) and not (above or real)
        return target if good else None


def _identity(folder: str) -> tuple[int, int]:
    """Return what tells a folder from all others, whatever path leads there."""
    found = os.stat(folder)
    return found.st_dev, found.st_ino


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Say whether it is a folder, or a link to one; not where a link leads nowhere."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _entries(folder: str | Path) -> list["os.DirEntry[str]"]:
    """Return what lies in a folder, in natural order, without hidden files and clutter."""
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if is_visible(entry.name)]
    require_utf8_names(entry.name for entry in visible)
    return sorted(visible, key=lambda entry: natural(entry.name))
