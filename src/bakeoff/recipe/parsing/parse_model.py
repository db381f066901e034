"""Reading the recipe's grammar: raw YAML values to layers, optimizers and phases, problems noted.

Every read_… function takes the raw value, its place in the recipe ("models.cnn.layers[5]") and the
list of problems; it returns the part, or None after it has noted what is wrong. It never raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bakeoff.recipe.learning_rate import Phase
from bakeoff.recipe.parsing.keras_words import (
    activation_layer_hint,
    last_name,
    layer_hint,
    schedule_hint,
)
from bakeoff.recipe.parsing.problems import Problems, attempt, known_keys
from bakeoff.recipe.suggestions import did_you_mean
from bakeoff.recipe.types import Layer, Optimizer
from bakeoff.recipe.value_kinds import Misfit, found, key_text
from bakeoff.recipe.vocabulary.arguments import ACTIVATION_ALIASES, ACTIVATION_NAMES, Arguments
from bakeoff.recipe.vocabulary.optimizers import (
    EPOCHS,
    LEARNING_RATE,
    OPTIMIZERS,
    PHASES,
    without_use_ema,
)
from bakeoff.recipe.vocabulary.residual import RESIDUAL
from bakeoff.recipe.vocabulary.words import LAYERS

MAX_LAYERS = 1000
_LAYER_NAMES = {**dict.fromkeys(LAYERS), RESIDUAL: None}


def read_arguments(
    kind: type[Arguments], raw: object, place: str, problems: Problems
) -> Arguments | None:
    """Read `{arguments}`, nothing, or the value of the one main argument; None if it is wrong."""
    named = isinstance(raw, Mapping) or raw is None
    if not named and kind.main is None:
        known = ", ".join(kind.model_fields)
        hint = f"{{arguments}} ({known})" if known else "no value, since it has no arguments"
        problems.add(place, f"expected {hint}, found {found(raw)}")
        return None
    values: Mapping[Any, Any] = {kind.main: raw}
    if named:
        values = raw if isinstance(raw, Mapping) else {}
    all_known = known_keys(values, list(kind.model_fields), place, problems)
    try:
        arguments = kind.model_validate(_only(values, kind))
    except ValidationError as error:
        _note(error, place, problems, named=named, all_known=all_known)
        return None
    return arguments if all_known else None


def _note(
    error: ValidationError, place: str, problems: Problems, *, named: bool, all_known: bool
) -> None:
    """Note what Pydantic refused.

    named : the arguments stand by their names, which belong to the place then
    all_known : there are no unknown keys; where there are, what is missing is probably misspelt
    """
    for each in error.errors(include_url=False, include_input=False):
        if each["type"] == "missing":
            if all_known:
                problems.add(place, f"{each['loc'][-1]} is missing")
            continue
        key = "".join(f".{part}" for part in each["loc"]) if named else ""
        reason = each.get("ctx", {}).get("error")
        inside = reason.inside if isinstance(reason, Misfit) else ""
        problems.add(f"{place}{key}{inside}", str(reason) if reason else each["msg"])


def _only(values: Mapping[Any, Any], kind: type[Arguments]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in kind.model_fields}


def read_layer(raw: object, place: str, problems: Problems) -> Layer | None:
    """Read `name`, `name: {arguments}`, `name: value` or `residual: [layers]`."""
    example = "dense: {units: 64, activation: relu}"
    named = _one_key(raw, place, "layer", example, _LAYER_NAMES, problems)
    if named is None:
        return None
    kind, value = named
    if kind == RESIDUAL:
        return _read_residual(value, f"{place}.{kind}", problems)
    arguments = read_arguments(LAYERS[kind], value, f"{place}.{kind}", problems)
    return None if arguments is None else Layer(kind=kind, arguments=arguments.plain())


def read_layers(raw: object, place: str, problems: Problems) -> list[Any]:
    """Read the list of layers; [] makes the softmax output the only layer."""
    if not isinstance(raw, list | tuple) or len(raw) > MAX_LAYERS:
        text = f"expected a list of at most {MAX_LAYERS:,} layers, found {found(raw)}"
        problems.add(place, text)
        return []
    return [
        read_layer(each, f"{place}[{number}]", problems) for number, each in enumerate(raw, start=1)
    ]


def _read_residual(raw: object, place: str, problems: Problems) -> Layer | None:
    before = len(problems.found)
    layers = read_layers(raw, place, problems)
    if not layers and len(problems.found) == before:
        problems.add(place, "expected at least one layer, found an empty list")
    return None if len(problems.found) > before else Layer(kind=RESIDUAL, layers=tuple(layers))


def _one_key(
    raw: object,
    place: str,
    what: str,
    example: str,
    known: Mapping[str, Any],
    problems: Problems,
) -> tuple[str, object] | None:
    """Return (name, value) of `name` or `{name: value}` where the name is known.

    what : "layer", "optimizer" or "phase"
    """
    if isinstance(raw, str):
        key, value = raw, None
    elif isinstance(raw, Mapping) and len(raw) == 1:
        key, value = next(iter(raw.items()))
    else:
        have = found(raw)
        if isinstance(raw, Mapping) and raw:
            have = f"{len(raw)} keys ({', '.join(key_text(key) for key in raw)})"
        problems.add(place, f"expected one {what}, found {have}: write it as {example}")
        return None
    if isinstance(key, str) and key in known:
        return key, value
    problems.add(place, f"unknown {what} {key_text(key)}; {_cure(what, key, known)}")
    return None


def _cure(what: str, key: object, known: Mapping[str, Any]) -> str:
    """Return what helps somebody who wrote an unknown layer, optimizer or phase."""
    word = last_name(key)
    closest = did_you_mean(word, list(known))
    if what == "phase":
        return schedule_hint(word, known) or closest
    if what == "optimizer":
        return closest
    first, _, value = key.partition(" ") if isinstance(key, str) else ("", "", "")
    if first in known and len(value.split()) == 1 and len(value) < 40:
        return f"did you mean {first}: {value.strip()}?"
    activations = (*ACTIVATION_NAMES, *dict(ACTIVATION_ALIASES))
    return layer_hint(word, known) or activation_layer_hint(word, activations, known) or closest


@dataclass(frozen=True)
class GivenOptimizer:
    """What one `training` block says of the optimizer: the given arguments only."""

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    learning_rate: tuple[Phase, ...] | None = None

    def over(self, base: "GivenOptimizer | None") -> "GivenOptimizer":
        """Return this laid over `base`, argument by argument; one of another kind replaces it."""
        if base is None or base.kind != self.kind:
            return self
        rate = self.learning_rate or base.learning_rate
        return GivenOptimizer(self.kind, {**base.arguments, **self.arguments}, rate)


def read_optimizer(raw: object, place: str, problems: Problems) -> GivenOptimizer | None:
    """Read `name`, `name: learning rate` or `name: {arguments}`."""
    example = "adam: {learning_rate: 0.001}"
    named = _one_key(raw, place, "optimizer", example, OPTIMIZERS, problems)
    if named is None:
        return None
    kind, value = named
    place = f"{place}.{kind}"
    given = value if isinstance(value, Mapping) else {}
    if value is not None and not isinstance(value, Mapping):
        given = {"learning_rate": value}
    before = len(problems.found)
    known_keys(given, ["learning_rate", *OPTIMIZERS[kind].model_fields], place, problems)
    rate = None
    if "learning_rate" in given:
        rate = read_learning_rate(given["learning_rate"], f"{place}.learning_rate", problems)
    arguments = read_arguments(OPTIMIZERS[kind], _only(given, OPTIMIZERS[kind]), place, problems)
    if arguments is None or len(problems.found) > before:
        return None
    return GivenOptimizer(kind, arguments.given(), rate)


def finish_optimizer(
    given: GivenOptimizer, epochs: int | None, place: str, problems: Problems
) -> Optimizer | None:
    """Return the optimizer with defaults written out; its phases must cover `epochs`, if given."""
    place = f"{place}.{given.kind}"
    arguments = read_arguments(OPTIMIZERS[given.kind], given.arguments, place, problems)
    if arguments is None:
        return None
    if epochs is not None and (lone := without_use_ema(given.arguments)):
        text = f"expected use_ema: true beside it, found none: {lone} alone averages nothing"
        problems.add(f"{place}.{lone}", text)
        return None
    usual = (Phase(kind="constant", start=OPTIMIZERS[given.kind].usual_rate),)
    optimizer = Optimizer(
        kind=given.kind,
        arguments=arguments.plain(),
        learning_rate=given.learning_rate or usual,
    )
    if epochs is None:
        return optimizer
    rates = attempt(optimizer.learning_rates, epochs, f"{place}.learning_rate", problems)
    return None if rates is None else optimizer


def read_learning_rate(raw: object, place: str, problems: Problems) -> tuple[Phase, ...] | None:
    """Read a number or a list of phases."""
    if isinstance(raw, list | tuple):
        if not 1 <= len(raw) <= 1000:
            problems.add(place, f"expected 1 to 1,000 phases, found {found(raw)}")
            return None
        phases = [
            read_phase(each, f"{place}[{number}]", problems)
            for number, each in enumerate(raw, start=1)
        ]
        good = tuple(phase for phase in phases if phase is not None)
        return good if len(good) == len(phases) else None
    if isinstance(raw, Mapping):
        problems.add(
            place, f"expected a number or a list of phases, found a mapping: {_schedule_cure(raw)}"
        )
        return None
    try:
        return (Phase(kind="constant", start=LEARNING_RATE.read(raw)),)
    except Misfit as misfit:
        problems.add(place, f"{misfit}; a list of phases is the other form")
        return None


def _schedule_cure(raw: Mapping[Any, Any]) -> str:
    """Return how to write a mapping as a list of phases: in brackets, where it is a phase."""
    if any(key in PHASES for key in raw):
        return "put [ ] round it"
    helps = (schedule_hint(key, PHASES) for key in raw)
    return next(filter(None, helps), "write phases, as in [{epochs: 10, constant: 0.001}]")


def read_phase(raw: object, place: str, problems: Problems) -> Phase | None:
    """Read one phase, `{epochs: 10, constant: 0.001}` or `{linear: {start: …, end: …}}`."""
    example = "{epochs: 10, constant: 0.001}"
    if not isinstance(raw, Mapping):
        problems.add(place, f"expected a phase such as {example}, found {found(raw)}")
        return None
    rule = {key: each for key, each in raw.items() if key != "epochs"}
    named = _one_key(rule, place, "phase", example, PHASES, problems)
    epochs = None
    if raw.get("epochs") is not None:
        epochs = attempt(EPOCHS.read, raw["epochs"], f"{place}.epochs", problems)
        if epochs is None:
            return None
    if named is None:
        return None
    kind, value = named
    arguments = read_arguments(PHASES[kind], value, f"{place}.{kind}", problems)
    if arguments is None:
        return None
    return Phase.model_validate({"kind": kind, "epochs": epochs, **arguments.plain()})
