"""What the data are, in sentences: classes, sizes, and images that stand in two parts."""

from __future__ import annotations

from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.wording import part_in_words
from bakeoff.report.words.wording import of_first
from bakeoff.utils.text import counted


def about_data(comparison: Comparison) -> str:
    """Say how many classes and images there are, how large an image is, and how many are copies."""
    data = comparison.data
    folds = comparison.folded
    parts = [f"{counted(len(comparison.class_names), 'class', 'classes')}"]
    if data.get("input_shape"):
        height, width, channels = data["input_shape"]
        parts[0] += f", every image at {height} × {width} pixels"
        parts[0] += {1: ", grey", 3: ", in colour"}.get(channels, f" of {channels} values")
    if first := of_first(comparison):
        parts.append(f"Numbers of training and validation images are those {first}")
    copies = []
    for kind, word in (("exact", "an exact copy"), ("near", "a near-copy")):
        for pair, number in comparison.duplicates.get(kind, {}).items():
            earlier, later = (part_in_words(part) for part in pair.split("-"))
            verb = "has" if number == 1 else "have"
            which = "image" if folds else f"{later} image"
            where = "another fold" if folds else f"the {earlier} part"
            if number:
                copies.append(f"{counted(number, which)} {verb} {word} in {where}")
    two = "two folds" if folds else "two parts of the split"
    copies = copies or [f"No image stands in {two}, exactly or nearly"]
    return " ".join(f"{part}." for part in [*parts, *copies])


def twins(comparison: Comparison) -> list[str]:
    """Name the copies in two parts, or folds, that study.json names, the first five of a kind."""
    said = []
    for each in comparison.data.get("twins") or ():
        earlier, later = (part_in_words(part) for part in each["parts"].split("-"))
        first, second = each["files"]
        word = "is" if each["kind"] == "exact" else "is nearly"
        if comparison.folded:
            said.append(f"{second} {word} {first}, in another fold.")
        else:
            said.append(f"{second} ({later}) {word} {first} ({earlier}).")
    return said
