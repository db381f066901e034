"""Masks beside the pictures that they belong to, told by their names: 1_mask.png and 1.png."""

import os
import re
from collections.abc import Sequence

_MASK = re.compile(
    r"(.+?)[ _.-]+(?:masks?|segm?|segmentations?|labels?|gt|ground[ _-]?truth|annotations?)"
    r"(?:[ _-]?[0-9]+)?",
    re.IGNORECASE,
)


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
