"""Pictures a reader should look at, each with its name and what was predicted: page and notebook.

One gallery is one list of cards: the page filters and enlarges them, a notebook shows them as they
are.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from markupsafe import escape

from bakeoff.analysis import notable_images
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.report.words.short_names import shortened
from bakeoff.storage.thumbnails import Image, picture_file
from bakeoff.utils import text as texts

NO_PICTURES = (
    "There are no pictures here: they are taken from the data when the report is written where "
    "the data is at hand, unchanged. The numbers say which test images are meant, counted from 0."
)
_TOO_WRONG = 0.25  # share of the test images
_BREAKS = re.compile(r"(?<=[/_])(?=.)|(?=\.\w{2,5}$)")  # after a folder, before an ending
_CELL = "display:inline-block;width:9.5em;margin:0 1em 1em 0;vertical-align:top;font-size:90%"


@dataclass(frozen=True)
class Card:
    """An image with what is said of it; `source` is a data URI, "" where there is no picture.

    `truth` is the class it has, `said` what was predicted, `name` its "class/file" or its number;
    `model` the one it belongs to, "" where that is no single one.
    """

    source: str
    name: str
    truth: str
    said: str
    small: str = ""
    model: str = ""

    @property
    def name_parts(self) -> list[str]:
        """Its name, cut where a line may break: no "jp" and "g" on two lines."""
        return _BREAKS.split(self.name)


@dataclass(frozen=True)
class Gallery:
    """Images with what they have in common; in a notebook it shows itself."""

    title: str
    text: str
    cards: tuple[Card, ...]

    def _repr_html_(self) -> str:
        cells = []
        for card in self.cards:
            image = (
                f'<img src="{card.source}" alt="{escape(card.name)}" '
                'style="width:7em;image-rendering:pixelated"><br>'
                if card.source
                else ""
            )
            lines = [
                f"<b>{escape(card.truth)}</b>",
                escape(card.said),
                *(f"<small>{escape(each)}</small>" for each in (card.small, card.name) if each),
            ]
            cells.append(f'<div style="{_CELL}">{image}{"<br>".join(filter(None, lines))}</div>')
        return f"<div><p><b>{escape(self.title)}.</b> {escape(self.text)}</p>{''.join(cells)}</div>"

    def __repr__(self) -> str:
        """Name the images, one a line."""
        lines = [
            ": ".join(filter(None, (card.name, ", ".join(filter(None, (card.truth, card.said))))))
            for card in self.cards
        ]
        return "\n".join([f"{self.title}. {self.text}", *lines])


def worst_mistakes(comparison: Comparison, result: ModelResult) -> Gallery:
    """Return the test images that a model gets most wrong."""
    names = comparison.class_names
    found = notable_images.worst_mistakes(comparison, result.name)
    title = f"The worst mistakes of {result.name}"
    if not found:
        return Gallery(title, f"No test image is wrong in most of its {result.unit}s.", ())
    seeds = len(result.seeds)
    text = "The images it was most sure of and wrong about, the worst first."
    if seeds > 1:
        text = (
            f"The images that most of its {seeds} {result.unit}s get wrong, the worst first; below "
            "each, how many of them predict this class."
        )
    cards = [
        _card(
            comparison,
            each.index,
            truth=names[each.truth],
            said=f"taken for {names[each.predicted]}",
            small=f"{texts.probability(each.probability, 0)} sure"
            + ("" if seeds == 1 else f", {each.agree} of {seeds} {result.unit}s"),
        )
        for each in found
    ]
    return Gallery(title, text, tuple(cards))


def shared_mistakes(comparison: Comparison) -> Gallery:
    """Return the test images that no model classifies correctly."""
    names, n_models = comparison.class_names, len(comparison.models)
    cards = []
    for each in notable_images.shared_mistakes(comparison):
        often = Counter(k for k in each.predictions.values() if k >= 0).most_common(3)
        said = texts.listed([f"{names[k]} ({count})" for k, count in often], last="or")
        cards.append(
            _card(
                comparison,
                each.index,
                truth=names[each.truth],
                said=f"taken for {said}" if said else "no prediction",
            )
        )
    text = (
        f"In brackets, how many of the {n_models} models predict so. Is the label correct?"
        if cards
        else "There is no test image that every model gets wrong."
    )
    return Gallery("Wrong in every model", text, tuple(cards))


def correct_alone(comparison: Comparison) -> Gallery:
    """Return the test images that a single model classifies correctly."""
    names = comparison.class_names
    short = shortened([model.name for model in comparison.models], most=24)
    cards = []
    for each in notable_images.correct_alone(comparison):
        others = Counter(
            k for name, k in each.predictions.items() if name != each.only and k >= 0
        ).most_common(1)
        cards.append(
            _card(
                comparison,
                each.index,
                truth=names[each.truth],
                said=f"only {short[each.only or '']} is correct",
                small=f"most others: {names[others[0][0]]}" if others else "",
                model=each.only or "",
            )
        )
    text = (
        f"What a single model sees and all others miss, by most of the {comparison.unit}s of each."
        if cards
        else "There is no test image that exactly one model classifies correctly."
    )
    return Gallery("Correct in one model only", text, tuple(cards))


def label_suspects(comparison: Comparison) -> Gallery:
    """Return the test images whose labels deserve a second look."""
    title = "Labels that deserve a second look"
    suspects = notable_images.label_suspects(comparison)
    model = notable_images.lowest_loss(comparison)
    if not suspects:
        return Gallery(title, f"No label contradicts {model.name}.", ())
    names = comparison.class_names
    if 1 - model.accuracy.mean > _TOO_WRONG:
        text = (
            f"{model.name}, the model with the lowest loss, is wrong about "
            f"{texts.percent(1 - model.accuracy.mean, 0)} of the images, too many for its doubts "
            "about labels to mean much."
        )
        return Gallery(title, text, ())
    text = (
        f"Where {model.name}, the model with the lowest loss, disagrees most with the label. Some "
        "are mislabelled, many only hard. No score leaves them out."
    )
    cards = [
        _card(
            comparison,
            each.index,
            truth=names[each.label],
            said=f"or rather {names[each.suggestion]}?",
            small=f"{texts.probability(each.label_probability, 0)} against "
            f"{texts.probability(each.probability, 0)}",
        )
        for each in suspects
    ]
    return Gallery(title, text, tuple(cards))


def samples(comparison: Comparison) -> list[Gallery]:
    """Return a few training images of every class; none where there are no pictures."""
    pictures = comparison.pictures
    if pictures is None:
        return []
    found = []
    for k in np.unique(pictures.sample_labels).tolist():
        rows = np.flatnonzero(pictures.sample_labels == k).tolist()
        name = comparison.class_names[k]
        cards = tuple(
            Card(
                source=data_uri(pictures.samples[row]),
                name=str(pictures.sample_names[row]) if len(pictures.sample_names) else "",
                truth=name,
                said="",
            )
            for row in rows
        )
        found.append(Gallery(name, texts.counted(len(rows), "training image"), cards))
    return found


def all_samples(comparison: Comparison) -> Gallery:
    """Return a few training images of every class as one gallery."""
    cards = tuple(card for each in samples(comparison) for card in each.cards)
    return Gallery("Samples of each class", about_samples(comparison), cards)


def about_samples(comparison: Comparison) -> str:
    """Say how the samples were chosen, or why there are none."""
    shown, classes = len(samples(comparison)), len(comparison.class_names)
    if not shown:
        return NO_PICTURES
    some = f"of the first {shown} of {classes} classes" if shown < classes else "of each class"
    return f"Training images {some}, evenly spaced in the order they came in, not chosen by eye."


def data_uri(image: Image) -> str:
    """Return an image as what `src` takes, without an address."""
    kind, content = picture_file(image)
    return f"data:{kind};base64," + base64.b64encode(content).decode()


def _card(
    comparison: Comparison, index: int, *, truth: str, said: str, small: str = "", model: str = ""
) -> Card:
    """Return the card of the test image at that index, with its picture where there is one."""
    pictures = comparison.pictures
    image = None if pictures is None else pictures.of(index)
    return Card(
        source="" if image is None else data_uri(image),
        name=f"no. {index}" if pictures is None else pictures.name(index),
        truth=truth,
        said=said,
        small=small,
        model=model,
    )
