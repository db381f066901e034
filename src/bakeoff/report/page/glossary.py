"""The words of a report, explained, and marked where each stands for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from markupsafe import escape

# word: what it means, in one sentence; forms of it that are marked, too
GLOSSARY: dict[str, tuple[str, tuple[str, ...]]] = {
    "seed": (
        "A number that fixes the chances of one training: the first weights, the order of the "
        "images, what dropout drops. Another seed is another throw of the same dice.",
        ("seed", "seeds"),
    ),
    "setting": (
        "One value for each choice that a model leaves open. A search tries many of them.",
        ("setting", "settings"),
    ),
    "race": (
        "Models that validation shows to be clearly worse get no more seeds and are not tested.",
        ("Race", "race"),
    ),
    "trial": ("One model trained with one seed.", ("trial", "trials")),
    "folds": (
        "In cross-validation, the parts that all images are divided into. Each is tested by a "
        "network that was trained on the others.",
        ("folds",),
    ),
    "repeats": (
        "Divisions of all images into folds, each with new networks from other first weights.",
        ("repeats",),
    ),
    "epoch": (
        "One pass of training over all training images; the first is counted as 0.",
        ("epoch", "epochs"),
    ),
    "test images": (
        "Images that no training could see. They stand for the images the model will meet.",
        ("test images", "test image"),
    ),
    "validation": (
        "Images kept out of training to choose the best epoch; they do not count for the result.",
        ("validation images", "validation loss", "validation accuracy"),
    ),
    "sealed": ("Not looked at yet: no training code can reach the test images.", ("sealed",)),
    "opened": (
        "The test images were used, once all trials were done. Every opening stands in the ledger.",
        ("opened", "opening", "openings"),
    ),
    "ledger": (
        "The list of all openings of a test set, to which lines are only ever added.",
        ("ledger",),
    ),
    "baseline": (
        "A method without a network that a network must beat: always the most frequent class, or "
        "logistic regression on the pixels.",
        ("baseline", "baselines"),
    ),
    "interval": (
        "A range that holds the true value in 95 of 100 such studies, had they other images and "
        "networks trained anew.",
        ("95 % interval", "95 % intervals", "interval"),
    ),
    "separated": (
        "Shown to differ. Not separated means that nobody has shown a difference, which is not the "
        "same as being equal.",
        ("not separated", "separated"),
    ),
    "practically equal": (
        "Shown to differ by less than a margin that does not matter.",
        ("practically equal",),
    ),
    "points": (
        "The difference of two percentages: 92 % and 90 % are 2 points apart.",
        ("points",),
    ),
    "Holm": (
        "Holm’s method: the more pairs are compared, the stricter each comparison, so that chance "
        "alone rarely makes even one of them look real.",
        ("Holm", "Holm's method", "Holm-adjusted"),
    ),
    "p": (
        "How often chance alone would speak as strongly for what is claimed, a difference or "
        "practical equality, if it were not so.",
        ("p =", "p <"),
    ),
    "one-sided bound": (
        "The most that a value may be; a bound of 95 % is wrong in 5 of 100 such studies at most.",
        ("one-sided bound",),
    ),
    "cross-entropy": (
        "A loss that counts how much probability a model gave to the correct class: 0 if all of "
        "it, larger the surer it was of something wrong.",
        ("cross-entropy",),
    ),
    "loss": ("What training makes smaller; lower is better.", ("loss",)),
    "macro F1": (
        "The mean over all classes of F1, so that small classes count as much as large ones.",
        ("macro F1", "Macro F1"),
    ),
    "balanced accuracy": (
        "The mean over all classes of the share of correct predictions.",
        ("balanced accuracy", "Balanced accuracy"),
    ),
    "precision": (
        "Of the images a model calls “rose”, the share that are roses.", ("precision", "Precision"),
    ),
    "recall": ("Of all roses, the share that the model finds.", ("recall", "Recall")),
    "F1": ("Precision and recall in one number, their harmonic mean.", ("F1",)),
    "ROC": (
        "A curve of roses found against other flowers called roses, as the model is made less "
        "and less strict. An area of 1 is perfect, 0.5 is guessing.",
        ("ROC",),
    ),
    "calibration": (
        "Whether a model that is 80 % sure is correct in 80 of 100 cases.",
        ("calibration", "calibrated"),
    ),
    "confusion": ("Which classes are taken for which others.", ("confusion",)),
    "parameters": ("The numbers that training sets in a network; its size.", ("parameters",)),
    "prediction time": (
        "What a network takes to predict one of 250 images at once, on the study’s machine.",
        ("prediction time", "Prediction time"),
    ),
    "dead": ("A training that never learned anything.", ("dead",)),
    "diverged": (
        "A training whose loss grew without end until it was no number any more.", ("diverged",),
    ),
    "over-fitting": (
        "Learning the training images by heart: better on them, worse on all others.",
        ("over-fitting", "over-fits", "over-fit"),
    ),
}  # fmt: skip

_TAG = re.compile(r"(<[^>]*>)")
_SKIPPED = ("svg", "script", "style", "head", "nav", "summary", "button", "a", "h1", "h2", "code",
            "pre", "select", "option", "dl", "thead", "small")  # fmt: skip


def entries() -> list[tuple[str, str, str]]:
    """Return (anchor, word, meaning) of every word, in alphabetical order."""
    order = sorted(GLOSSARY, key=str.lower)
    return [(anchor(word), word, GLOSSARY[word][0]) for word in order]


def anchor(word: str) -> str:
    """Return the page's name for a word's entry."""
    return "word-" + re.sub(r"[^a-z0-9]+", "-", word.lower())


def explained(page: str) -> str:
    """Return a page in which each word of the glossary links to its entry where it first stands.

    Its meaning is the link's tooltip. Markup, headings, pictures and links are left alone.
    """
    left = dict(GLOSSARY)
    depth = dict.fromkeys(_SKIPPED, 0)
    return "".join(_pieces(_TAG.split(page), left, depth))


def _pieces(
    pieces: list[str], left: dict[str, tuple[str, tuple[str, ...]]], depth: dict[str, int]
) -> Iterator[str]:
    inside_body = False
    for piece in pieces:
        if piece.startswith("<"):
            name = re.match(r"</?([a-z0-9]+)", piece)
            if name and name[1] == "main":
                inside_body = not piece.startswith("</")
            if name and name[1] in depth and not piece.endswith("/>"):
                depth[name[1]] += -1 if piece.startswith("</") else 1
            yield piece
        elif inside_body and piece.strip() and not any(depth.values()):
            yield _marked(piece, left)
        else:
            yield piece


def _marked(text: str, left: dict[str, tuple[str, tuple[str, ...]]]) -> str:
    """Mark every word of `left` that stands in a text, the longest first, and take it out."""
    forms = {form: word for word, (_, all_forms) in left.items() for form in all_forms}
    if not forms:
        return text
    seen: set[str] = set()

    def mark(found: re.Match[str]) -> str:
        word = forms[found[0].replace("\u00a0", " ")]
        if word in seen:
            return found[0]
        seen.add(word)
        meaning = escape(GLOSSARY[word][0])
        return f'<a class="term" href="#{anchor(word)}" title="{meaning}">{found[0]}</a>'

    marked = _any_of(tuple(forms)).sub(mark, text)
    for word in seen:
        del left[word]
    return marked


@lru_cache(maxsize=256)  # most texts of a page hold no word that is left
def _any_of(forms: tuple[str, ...]) -> re.Pattern[str]:
    alternatives = "|".join(
        re.escape(form).replace(r"\ ", "[ \u00a0]") for form in sorted(forms, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])")
