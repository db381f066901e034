"""Masks beside the pictures that they belong to, told by names: 1_mask.png, or a folder masks."""

import os
import re
from collections.abc import Collection, Sequence

_MASK = re.compile(
    r"(.+?)[ _.-]+(?:masks?|segm?|segmentations?|labels?|gt|ground[ _-]?truth|annotations?)"
    r"(?:[ _-]?[0-9]+)?",
    re.IGNORECASE,
)
_PICTURES = {"images", "image", "imgs", "img", "pictures", "photos"}
_ABOUT = {"labels", "label", "masks", "mask", "annotations", "segmentation", "segmentations"}


def folders_of_masks(names: Collection[str]) -> set[str]:
    """Return which of some folders side by side hold masks or labels of the pictures in another."""
    called = {name: name.casefold() for name in names}
    if not _PICTURES & {*called.values()}:
        return set()
    return {name for name, small in called.items() if small in _ABOUT}


def holds_pictures(folder: str) -> bool:
    """Say whether a folder is called as if it held pictures of all kinds."""
    return folder.casefold() in _PICTURES


def masks_beside(names: Sequence[str]) -> tuple[set[str], bool]:
    """Return what is called like a mask of another picture, among the pictures of a folder.

    A name counts where another one is the same without the ending "_mask", "-seg 2" and so on.
    Second, whether more than half of the other pictures have such a mask.
    """
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(os.path.splitext(name)[0], []).append(name)
    owners = {stem: _owner(stem) for stem in stems}
    masks = {stem for stem, owner in owners.items() if owner in stems}
    having = {owner for stem, owner in owners.items() if stem in masks and owner not in masks}
    others = len(stems) - len(masks)
    return {name for stem in masks for name in stems[stem]}, 2 * len(having) > others


def _owner(stem: str) -> str | None:
    """Return what the picture of a mask is called; None for names that are not a mask's."""
    found = _MASK.fullmatch(stem)
    return found[1] if found else None
