"""Reading a model's `backbone`: a known name, or another study's model, frozen or fine-tuned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.recipe.parsing.parse_model import read_layers
from bakeoff.recipe.parsing.parse_split import SEED
from bakeoff.recipe.parsing.problems import Problems, attempt, is_text, known_keys, read_path
from bakeoff.recipe.suggestions import did_you_mean
from bakeoff.recipe.types import Backbone, BackboneNetwork, Layer, Training
from bakeoff.recipe.value_kinds import Flag, Misfit, Whole, found
from bakeoff.recipe.vocabulary.backbones import BACKBONES, backbone_layers, layers_from
from bakeoff.recipe.vocabulary.optimizers import LEARNING_RATE

NAMED_KEYS = ("name", "trainable", "from", "learning_rate", "augment", "passes")
STUDY_KEYS = ("study", "model", "trainable", "from", "learning_rate", "augment", "network")
NETWORK_KEYS = ("input_shape", "seed", "weights", "seen", "layers")
AUGMENTING = (  # what leaves the images' size as it is
    *("random_flip", "random_translation", "random_rotation", "random_zoom"),
    *("random_contrast", "random_brightness", "cutout"),
)
RATE_SHARE = 0.1  # of the model's highest learning rate, where a backbone declares none
_SIDE, _LAYER_NUMBER = Whole(1, 10_000), Whole(1, 1000)
PASSES, USUAL_PASSES = Whole(2, 100), 5


def read_backbone(
    raw: object, training: Training | None, folder: Path, place: str, problems: Problems
) -> Backbone | None:
    """Read the name of a backbone, {name: …} or {study: …, model: …}."""
    if isinstance(raw, Mapping) and "study" in raw:
        return _read_study(raw, training, folder, place, problems)
    values: Mapping[Any, Any] = raw if isinstance(raw, Mapping) else {"name": raw}
    known_keys(values, NAMED_KEYS, place, problems)
    name = values.get("name")
    if not isinstance(name, str) or name not in BACKBONES:
        hint = did_you_mean(name, list(BACKBONES))
        problems.add(place, f"expected the name of a backbone, found {found(name)}; {hint}")
        return None
    start = values.get("from")
    known = isinstance(start, str) and layers_from(name, start)
    if start is not None and not known:
        names = [layer.name for layer in backbone_layers(name)]
        text = f"expected a layer of {name}, found {found(start)}; {did_you_mean(start, names)}"
        problems.add(f"{place}.from", text)
        return None
    before = len(problems.found)
    said = _trained(values, training, place, problems)
    augment = _read_augment(values.get("augment"), f"{place}.augment", problems)
    changes = bool(augment) and (said is None or said["learning_rate"] is None)
    passes = USUAL_PASSES if changes else 1
    if values.get("passes") is not None:
        passes = _take(PASSES.read, values, "passes", place, problems)
        if not changes:
            text = "expected a frozen backbone and augment beside it, found none: passes are for"
            problems.add(f"{place}.passes", f"{text} features that are computed beforehand")
    if said is None or len(problems.found) > before:
        return None
    return Backbone(name=name, start=start, augment=augment, passes=passes, **said)


def _read_augment(raw: object, place: str, problems: Problems) -> tuple[Layer, ...]:
    """Read layers that change images at random."""
    if raw is None:
        return ()
    layers = [layer for layer in read_layers(raw, place, problems) if layer is not None]
    for number, layer in enumerate(layers, start=1):
        if layer.kind not in AUGMENTING:
            known = ", ".join(AUGMENTING)
            text = f"expected a layer that changes images and not their size ({known}), found"
            problems.add(f"{place}[{number}]", f"{text} {layer.kind}")
    return tuple(layers)


def _read_study(
    raw: Mapping[Any, Any], training: Training | None, folder: Path, place: str, problems: Problems
) -> Backbone | None:
    known_keys(raw, STUDY_KEYS, place, problems)
    values: dict[str, Any] = {}
    before = len(problems.found)
    study = _take(lambda text: read_path(text, folder, "a study"), raw, "study", place, problems)
    for key, read in (("model", _read_text), ("from", _LAYER_NUMBER.read)):
        if raw.get(key) is not None:
            values["start" if key == "from" else key] = _take(read, raw, key, place, problems)
    if raw.get("network") is not None:
        values["network"] = _read_network(raw["network"], f"{place}.network", problems)
    values["augment"] = _read_augment(raw.get("augment"), f"{place}.augment", problems)
    said = _trained(raw, training, place, problems)
    if said is None or len(problems.found) > before:
        return None
    return Backbone(study=str(study), **values, **said)


def _trained(
    raw: Mapping[Any, Any], training: Training | None, place: str, problems: Problems
) -> dict[str, Any] | None:
    """Read whether a backbone is fine-tuned, and how fast; None after noting what is wrong."""
    before = len(problems.found)
    trainable = raw.get("trainable")
    if trainable is not None:
        trainable = _take(Flag().read, raw, "trainable", place, problems)
    rate = raw.get("learning_rate")
    if rate is not None:
        rate = _take(LEARNING_RATE.read, raw, "learning_rate", place, problems)
    trains = bool(trainable) or raw.get("from") is not None
    if trainable is False and raw.get("from") is not None:
        text = "expected none beside trainable: false, found one: remove one of them"
        problems.add(f"{place}.from", text)
    if rate is not None and not trains:
        text = "expected trainable: true or from: LAYER beside it, found neither: a frozen backbone"
        problems.add(f"{place}.learning_rate", f"{text} learns nothing")
    if len(problems.found) > before:
        return None
    if trains and rate is None and training is not None:
        highest = float(training.optimizer.learning_rates(training.epochs).max())
        rate = RATE_SHARE * highest
    return {"trainable": trains and raw.get("from") is None, "learning_rate": rate}


def _read_network(raw: object, place: str, problems: Problems) -> BackboneNetwork | None:
    """Read what Bakeoff has written of another study's model."""
    if not isinstance(raw, Mapping):
        problems.add(place, f"expected what Bakeoff writes there, found {found(raw)}: remove it")
        return None
    before = len(problems.found)
    known_keys(raw, NETWORK_KEYS, place, problems)
    shape = _take(_read_shape, raw, "input_shape", place, problems)
    seed = _take(SEED.read, raw, "seed", place, problems)
    weights, seen = (_take(_read_text, raw, key, place, problems) for key in ("weights", "seen"))
    layers = read_layers(raw.get("layers"), f"{place}.layers", problems)
    if len(problems.found) > before:
        return None
    return BackboneNetwork(
        input_shape=shape, layers=tuple(layers), seed=seed, weights=weights, seen=seen
    )


def _read_shape(raw: object) -> tuple[int, int, int]:
    if not isinstance(raw, list | tuple) or len(raw) != 3:
        raise Misfit(f"expected height, width and channels, found {found(raw)}")
    height, width, channels = (_SIDE.read(each) for each in raw)
    return height, width, channels


def _read_text(raw: object) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= 400 or not is_text(raw):
        raise Misfit(f"expected text of at most 400 characters, found {found(raw)}")
    return raw


def _take(read: Any, raw: Mapping[Any, Any], key: str, place: str, problems: Problems) -> Any:
    return attempt(read, raw.get(key), f"{place}.{key}", problems)
