"""What the page shows of the images: worst mistakes, suspect labels, samples of classes."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from bakeoff.analysis import notable_images
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.storage.thumbnails import Image, png
from bakeoff.utils import text as texts

NO_PICTURES = (
    "There are no pictures here: they are taken from the data when the report is written where "
    "the data is at hand, unchanged. The numbers say which test images are meant, counted from 0."
)
NO_CLEANLAB = (
    "Suspect labels are looked for where cleanlab is installed: pip install 'bakeoff[labels]', "
    "then bakeoff report."
)


@dataclass(frozen=True)
class Card:
    """An image with what is said of it; `source` is a data URI, "" where there is no picture."""

    source: str
    alt: str
    first: str  # a class
    joint: str  # "taken for"
    second: str  # another class
    small: str
    place: str


@dataclass(frozen=True)
class Samples:
    """Images of one class."""

    name: str
    alt: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Images with what they have in common."""

    text: str
    cards: tuple[Card, ...]


def worst_mistakes(comparison: Comparison, result: ModelResult) -> Gallery:
    """Return the test images that a model gets most wrong."""
    names = comparison.class_names
    found = notable_images.worst_mistakes(comparison, result.name)
    if not found:
        return Gallery("No test image is wrong in most of its seeds.", ())
    seeds = texts.counted(len(result.seeds), "seed")
    one = len(result.seeds) == 1
    text = (
        f"The {texts.counted(len(found), 'test image')} with the largest loss"
        f"{'' if one else ', mean over the seeds,'} among those that "
        f"{'it' if one else 'most seeds'} got wrong: the true class, the "
        f"{'answer' if one else 'most frequent answer'}, the probability "
        f"{'' if one else '(mean over the seeds) '}it was given"
        f"{'' if one else f', and how many of {seeds} agree'}."
    )
    cards = [
        Card(
            source=_of(comparison, each.place),
            alt=f"Test image {each.place}, of class {names[each.truth]}",
            first=names[each.truth],
            joint="taken for",
            second=names[each.answer],
            small=f"{100 * each.probability:.0f} %"
            + ("" if one else f", {each.agree} of {each.seeds}"),
            place=f"no. {each.place}",
        )
        for each in found
    ]
    return Gallery(text, tuple(cards))


def label_suspects(comparison: Comparison) -> Gallery:
    """Return the test images whose labels deserve a second look."""
    suspects = notable_images.label_suspects(comparison)
    if suspects is None:
        return Gallery(NO_CLEANLAB, ())
    if not suspects:
        return Gallery(f"No label contradicts {notable_images.lowest_loss(comparison).name}.", ())
    names = comparison.class_names
    model = notable_images.lowest_loss(comparison)
    text = (
        f"The {texts.counted(len(suspects), 'test image')} whose labels agree least with what "
        f"{model.name} says, the model with the lowest loss (cleanlab's label quality by "
        f"self-confidence; mean of {texts.counted(len(model.seeds), 'seed')}); the most suspect "
        "first. Some are mislabelled, some only hard: look before you change any. No score here "
        "leaves them out."
    )
    cards = [
        Card(
            source=_of(comparison, each.place),
            alt=f"Test image {each.place}, labelled {names[each.label]}",
            first=names[each.label],
            joint="or rather",
            second=names[each.suggestion],
            small=f"{100 * each.label_probability:.0f} % against {100 * each.probability:.0f} %",
            place=f"no. {each.place}",
        )
        for each in suspects
    ]
    return Gallery(text, tuple(cards))


def samples(comparison: Comparison) -> list[Samples]:
    """Return a few training images of every class; none where there are no pictures."""
    pictures = comparison.pictures
    if pictures is None:
        return []
    found = []
    for k in np.unique(pictures.sample_labels).tolist():
        images = pictures.samples[pictures.sample_labels == k]
        name = comparison.class_names[k]
        alt = f"{texts.counted(len(images), 'training image')} of class {name}"
        found.append(Samples(name, alt, tuple(data_uri(image) for image in images)))
    return found


def about_samples(comparison: Comparison) -> str:
    """Say how the samples were chosen, or why there are none."""
    shown, classes = len(samples(comparison)), len(comparison.class_names)
    if not shown:
        return NO_PICTURES
    some = f"of the first {shown} of {classes} classes" if shown < classes else "of each class"
    return f"Training images {some}, evenly spaced in the order they came in, not chosen by eye."


def data_uri(image: Image) -> str:
    """Return an image as what `src` takes, without an address."""
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()


def _of(comparison: Comparison, place: int) -> str:
    image = None if comparison.pictures is None else comparison.pictures.of(place)
    return "" if image is None else data_uri(image)
