"""Choices of a search in other tools' words or in another form, and how to write them here."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from bakeoff.recipe.dimension import FORMS
from bakeoff.recipe.search_space import is_choice
from bakeoff.recipe.value_kinds import as_number, as_whole, found
from bakeoff.recipe.vocabulary.words import LAYERS

_WORDS = {
    "whole": (
        *("int", "integer", "randint", "int_uniform", "suggest_int", "quniform", "range"),
        *("loguniform_int", "lograndint"),
    ),
    "log": ("loguniform", "log_uniform", "log_float", "reciprocal"),
    "uniform": ("float", "real", "suggest_float", "uniform_float"),
    "choice": ("choices", "categorical", "suggest_categorical", "options", "values", "one_of"),
}
_MEANT = {word: form for form, words in _WORDS.items() for word in words}
_USUAL = {
    "whole": "[1, 4]",
    "log": "[0.0001, 0.01]",
    "uniform": "[0, 0.5]",
    "choice": "[64, 128, 256]",
}
_STEPS = 20  # so many values, apart by a step, are written out
_LONG = 60  # characters of a hint that is about what was written


def meant_choice(raw: object) -> tuple[str, str] | None:
    """Return the first place where a choice is meant and how to write it; None where all is well.

    raw : a model, as YAML gives it
    """
    return next(_walk(raw, ""), None)


def _walk(raw: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(raw, Mapping):
        if wanted := _rewritten(raw):
            yield place, f"expected a choice such as {wanted}, found {_flow(raw, 'another form')}"
            return
        for key, each in raw.items():
            yield from _walk(each, f"{place}.{key}" if place else str(key))
    elif isinstance(raw, list | tuple):
        for number, each in enumerate(raw, start=1):
            here = f"{place}[{number}]"
            if place.endswith("layers") and (wanted := _without_a_layer(each)):
                yield here, f"expected layers in every option, found null: for none write {wanted}"
            else:
                yield from _walk(each, here)


def _without_a_layer(raw: object) -> str | None:
    """Return a choice with an empty list in the place of a null that leaves a layer out."""
    name, options = None, raw
    if isinstance(raw, Mapping) and len(raw) == 1 and not is_choice(raw):
        ((name, options),) = raw.items()
    if not (
        isinstance(options, Mapping) and is_choice(options) and None in options.get("choice", ())
    ):
        return None
    known = LAYERS.get(str(name))
    if known is not None and not any(each.is_required() for each in known.model_fields.values()):
        return None  # null is the layer with its defaults, as in {max_pooling2d: null}
    layers: list[Any] = [
        [] if each is None else each if name is None else {name: each} for each in options["choice"]
    ]
    return _flow({"choice": layers}, "[], an empty list")


def _rewritten(raw: Mapping[Any, Any]) -> str | None:
    """Return the choice that is meant; None where none is, or it is written as it should be."""
    if {"min", "max"} <= set(raw) <= {"min", "max", "step", "log"}:
        ends = [raw["min"], raw["max"]]
        whole = None not in map(as_whole, ends)
        word = "whole" if whole else "log" if raw.get("log") else "uniform"
        return _written(word, ends, raw.get("step"))
    key = next(iter(raw), None)
    if not isinstance(key, str) or is_choice(raw) or not (key in FORMS or key in _MEANT):
        return None
    if set(raw) - {key, "step", "log"} or (key not in FORMS and not _held(raw[key])):
        return None
    word = _MEANT.get(key, key)
    if word == "uniform" and raw.get("log") is True:
        word = "log"
    return _written(word, raw[key], raw.get("step"))


def _held(value: object) -> bool:
    return isinstance(value, list | tuple | Mapping)


def _written(word: str, values: Any, step: Any) -> str:
    if isinstance(values, Mapping):
        values = list(values.values())[:2]
    if word != "choice":
        values = list(values)[:2] if _held(values) else []
        ends = [number for each in values if (number := as_number(each)) is not None]
        if len(ends) < 2:
            return f"{{{word}: {_USUAL[word]}}}"
        if spread := _spread(ends[0], ends[1], step):
            word, values = "choice", spread
    elif isinstance(values, str) and "," in values:
        values = [each.strip() for each in values.split(",")]
    elif not _held(values) or len(values) < 2:
        one = values[0] if _held(values) and values else values
        return f"{{choice: [{_flow(one, '…').removesuffix('...').strip()}, …]}}"
    return _flow({word: list(values)}, f"{{{word}: {_USUAL[word]}}}")


def _spread(low: float, high: float, step: Any) -> list[float | int]:
    """Return all values from `low` to `high` that are a step apart; [] where they are too many."""
    apart = as_number(step)
    if apart is None or apart <= 0 or not 1 <= (high - low) / apart < _STEPS:
        return []
    values = [round(low + k * apart, 6) for k in range(int((high - low) / apart + 1e-9) + 1)]
    return [int(each) if each == int(each) else each for each in values]


def _flow(value: Any, otherwise: str) -> str:
    """Return a value as YAML in one line, or something else where that is long."""
    if isinstance(value, Mapping) and not all(isinstance(key, str) for key in value):
        return otherwise
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).strip()
    except yaml.YAMLError:
        return found(value)
    return text if len(text) <= _LONG else otherwise
