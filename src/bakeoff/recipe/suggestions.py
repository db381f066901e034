"""The nearest known word for a misspelt one: what an error suggests."""

import difflib
import re
from collections.abc import Iterable, Sequence

MOST_KNOWN = 40  # a longer list of known words is cut: nobody reads the 400 layers of a backbone
SYNONYMS = {"lr": "learningrate", "fc": "dense", "gray": "grey", "fmnist": "fashionmnist"}


def nearest(word: object, words: Iterable[str]) -> str | None:
    """Return the known word that `word` was probably meant to be, or None."""
    known = {_bare(each): each for each in words}
    if not isinstance(word, str) or len(word) > 100:
        return None
    bare = SYNONYMS.get(_bare(word), _bare(word))
    longer = [each for each in known if each.startswith(bare)] if len(bare) >= 3 else []
    close = longer if len(longer) == 1 else difflib.get_close_matches(bare, list(known), n=1)
    return known[close[0]] if close else None


def did_you_mean(word: object, words: Sequence[str]) -> str:
    """Return "did you mean x?" for the nearest known word, else the list of the known ones."""
    close = nearest(word, words)
    if close is not None:
        return f"did you mean {close}?"
    if len(words) > MOST_KNOWN:
        words = [*words[:4], "…", *words[-2:]]
    return f"known: {', '.join(words)}" if words else "none is known here"


def _bare(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).casefold()
