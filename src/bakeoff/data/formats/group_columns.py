"""Columns that say which pictures show the same patient, plant or scene.

Pictures of one patient are alike in much that is not the class. Where training has some of them and
the test part others, the test is too easy, and nothing in the results shows it.
"""

from collections.abc import Sequence

from bakeoff.data.words import bare
from bakeoff.utils.text import counted, shown

_ONE = (
    *("patient", "subject", "participant", "person", "donor", "individual", "specimen", "slide"),
    *("scene", "video", "clip", "sequence", "session", "series", "scan", "case", "writer"),
    *("speaker", "author", "group", "groups", "lesion", "nodule", "exam", "study", "seq"),
    *("user", "signer", "driver", "volunteer"),
)
_ONE_OF_A_KIND = ("animal", "plant", "tree", "leaf")  # alone, they are called so by their kind
_NUMBERS = ("id", "ids", "nr", "no", "number", "code")
_NAMES = (  # the surest first
    *(one + number for one in _ONE for number in ("", *_NUMBERS, "name")),
    *(one + number for one in _ONE_OF_A_KIND for number in _NUMBERS),
)
_UNKNOWN = ("", "na", "nan", "nat", "none", "null", "unknown")


def notes_on_groups(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    labels: Sequence[str],
    parts: Sequence[str] | None,
) -> tuple[str, ...]:
    """Return a note on an unused column by which pictures belong together across parts, if any.

    Such a column is called so, has the same cell in several rows, and more cells than classes. Of
    several the one that is called so most surely is named.

    parts : train, validation or test for each row; None where Bakeoff will draw them
    """
    called = [(_NAMES.index(bare(name)), name) for name in columns if bare(name) in _NAMES]
    for _, name in sorted(called):
        place = columns.index(name)
        cells = [row[place].strip() for row in rows]
        cells = ["" if bare(cell) in _UNKNOWN else cell for cell in cells]
        kinds = set(cells) - {""}
        if len(set(labels)) < len(kinds) < len(cells) - cells.count(""):
            note = _note(shown(name), cells, parts)
            if note:
                return (note,)
    return ()


def _note(name: str, cells: Sequence[str], parts: Sequence[str] | None) -> str:
    one = f"all pictures of one {name} into one part"
    if parts is None:
        return (
            f"{name} seems to say which pictures belong together; a split that is drawn does not "
            f"keep them together, so that tests may be too easy: put {one}, by a column split "
            "(train, val, test)"
        )
    stands: dict[str, set[str]] = {}
    for cell, part in zip(cells, parts, strict=True):
        stands.setdefault(cell, set()).add(part)
    torn = [cell for cell, have in stands.items() if cell and len(have) > 1]
    if not torn:
        return ""
    return (
        f"{counted(len(torn), 'cell')} of {name} in more than one part, such as {shown(torn[0])}: "
        f"where these pictures belong together, tests may be too easy: put {one}"
    )
