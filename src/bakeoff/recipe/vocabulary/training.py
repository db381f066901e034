"""What a model's training may say beside epochs, batch size and optimizer.

An option that is not given is not written out, so that older recipes resolve as they always did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from bakeoff.recipe.value_kinds import Kind, Misfit, Number, OrNull, Whole, found, inside, key_text
from bakeoff.recipe.vocabulary.arguments import Arguments, BelowOne, OptionalPositive

BALANCED = "balanced"
_WEIGHT = Number(0, 1e6)


@dataclass(frozen=True)
class ClassWeights(Kind):
    """How much an image of each class counts: "balanced", or numbers by class."""

    def read(self, value: object) -> str | dict[str, float]:
        """Return "balanced", or the weights by the names of the classes."""
        if value == BALANCED:
            return BALANCED
        if not isinstance(value, Mapping) or not value:
            raise self.refuse(value)
        weights: dict[str, float] = {}
        for key, weight in value.items():
            if str(key) in weights:  # in Python, 3 and "3"
                raise Misfit(f"expected different classes, found {key_text(str(key))} twice")
            weights[str(key)] = inside(f".{key_text(key)}", _WEIGHT.read, weight)
        return weights

    def words(self) -> str:
        """Say both forms."""
        return f"{BALANCED}, or {{class: weight}}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        weights = {"type": "object", "additionalProperties": _WEIGHT.schema(), "minProperties": 1}
        return {"anyOf": [{"const": BALANCED}, weights]}


class TrainingOptions(Arguments):
    """label_smoothing, mixup and class_weight change the loss; patience stops early.

    label_smoothing : the share of each label that is spread over all classes
    mixup : alpha of the beta distribution by which two images and their labels are mixed
    class_weight : "balanced" or weights by class
    patience : epochs without a better validation score after which training stops
    """

    label_smoothing: BelowOne = 0.0
    mixup: OptionalPositive = None
    class_weight: Annotated[str | dict[str, float] | None, OrNull(ClassWeights())] = None
    patience: Annotated[int | None, OrNull(Whole(1, 100_000))] = None

    def unusual(self) -> dict[str, Any]:
        """Return the options that say something."""
        return self.model_dump(exclude_defaults=True)


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Return options that say something, each in a few words: "mixup 0.2"."""
    words = []
    for name, value in options.items():
        if isinstance(value, Mapping):
            value = " ".join(f"{key} {each:g}" for key, each in value.items())
        words.append(f"{name.replace('_', ' ')} {value}")
    return words


def class_weights(
    declared: str | Mapping[str, float] | None, class_names: tuple[str, ...]
) -> tuple[float, ...] | None:
    """Return the declared weight of each class, 1 of one that is not named; None without numbers.

    Raises Misfit for a class that is not there, and where no class weighs anything.
    """
    if declared is None or isinstance(declared, str):
        return None
    unknown = [name for name in declared if name not in class_names]
    if unknown:
        raise Misfit(
            f"expected classes of the data ({', '.join(class_names[:10])}"
            f"{', …' if len(class_names) > 10 else ''}), found {found(unknown[0])}"
        )
    weights = tuple(declared.get(name, 1.0) for name in class_names)
    if not any(weights):
        raise Misfit("expected a class that weighs more than 0, found none: nothing is learned")
    return weights
