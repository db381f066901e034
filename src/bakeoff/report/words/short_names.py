"""Names of models and classes cut to the room that there is, and yet told apart.

Text and tables have room for a whole name where two would look alike when cut (`shortened`). A
figure and a narrow column have none: there such names show where they differ (`short_labels`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest


def shorten(name: str, *, most: int) -> str:
    """Return a name of at most `most` letters; an ellipsis stands for its middle."""
    if len(name) <= most:
        return name
    head = most // 2
    return f"{name[:head]}…{name[len(name) - (most - head - 1) :]}"


def shortened(names: Sequence[str], *, most: int) -> dict[str, str]:
    """Return each name of at most `most` letters, or whole where two would become alike."""
    cut = {name: shorten(name, most=most) for name in names}
    often = Counter(cut.values())
    return {name: text if often[text] == 1 else name for name, text in cut.items()}


def short_labels(names: Sequence[str], *, most: int = 24) -> list[str]:
    """Return each name of at most `most` letters; names that would be alike show where they differ.

    A label depends on no order, so that figures sorted otherwise call a class the same. What no few
    letters tell apart has a number.
    """
    cut = {name: shorten(name, most=most) for name in names}
    waiting = [cut]
    while waiting:
        labels = waiting.pop()
        for text, count in Counter(labels.values()).items():
            if count > 1:
                alike = [name for name, label in labels.items() if label == text]
                parts = _where_they_differ(alike, most)
                cut |= parts
                waiting.append(parts)
    seen: Counter[str] = Counter()
    found = [cut[name] for name in names]
    for at in sorted(range(len(names)), key=lambda at: names[at]):
        text = found[at]
        seen[text] += 1
        found[at] += f" ({seen[text]})" if seen[text] > 1 else ""
    return found


def _where_they_differ(names: Sequence[str], most: int) -> dict[str, str]:
    """Return of each name the letters around the first place where not all are the same."""
    room = most - 2
    first = next(at for at, letters in enumerate(zip_longest(*names)) if len(set(letters)) > 1)
    begin = max(0, first - room // 2)
    return {
        name: "…" * (begin > 0) + name[begin : begin + room] + "…" * (len(name) > begin + room)
        for name in names
    }
