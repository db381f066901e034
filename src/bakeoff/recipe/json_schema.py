"""The recipe's grammar for editors: a JSON Schema, made from the vocabulary that is read."""

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.data.sources import NAMES
from bakeoff.recipe import search_space
from bakeoff.recipe.outline import BASELINES
from bakeoff.recipe.parsing import (
    parse_backbone,
    parse_data,
    parse_model,
    parse_race,
    parse_recipe,
    parse_search,
    parse_seeds,
    parse_split,
    parse_training,
)
from bakeoff.recipe.types import plain_data
from bakeoff.recipe.value_kinds import Choice, Kind, Number, Whole
from bakeoff.recipe.vocabulary.arguments import Arguments
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.recipe.vocabulary.layers import Output
from bakeoff.recipe.vocabulary.optimizers import EPOCHS, LEARNING_RATE, OPTIMIZERS, PHASES
from bakeoff.recipe.vocabulary.residual import RESIDUAL, Residual
from bakeoff.recipe.vocabulary.training import TrainingOptions
from bakeoff.recipe.vocabulary.words import LAYERS
from bakeoff.utils.text import docstring

Schema = dict[str, Any]
_NULL: Schema = {"type": "null"}
RATE_TEXT = "the learning rate: a number, or phases one after another"


def schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a recipe, shorthand forms included.

    It is a little wider than what is read: it does not check that phases cover the epochs, that
    shapes fit, or that names do not clash.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bakeoff recipe",
        **_keys(
            {
                "name": {**_name(), "description": "the study's name, and that of its folder"},
                "title": {"type": "string", "description": "free text", "maxLength": 200},
                "data": _data(),
                "split": _split(),
                "seeds": _seeds(),
                "race": _race(),
                "selection": {**parse_recipe.SELECTION.schema(), "default": "best-loss"},
                "training": {"$ref": "#/$defs/training"},
                "baselines": _list(Choice(BASELINES).schema(), unique=True),
                "margin": {**parse_recipe.SHARE.schema(), "default": 0.002},
                "give_up": {**parse_recipe.SHARE.schema(), "default": 0.005},
                "prefer": {**parse_recipe.PREFERENCE.schema(), "default": "parameters"},
                "search": _search(),
                "models": {
                    "type": "object",
                    "propertyNames": _name(),
                    "additionalProperties": {"$ref": "#/$defs/model"},
                    "minProperties": 1,
                    "maxProperties": parse_recipe.MAX_MODELS,
                },
            },
            required=("name", "data", "models"),
        ),
        "$defs": {
            "choice": _choice(),
            "in_layers": _in_layers(),
            "layer": _layer(),
            "learning_rate": _learning_rate(),
            "model": _model(),
            "optimizer": _optimizer(),
            "training": _training(),
        },
    }


def kind_of(cls: type[Arguments], key: str) -> Kind:
    """Return the kind of value that an argument takes."""
    kinds = [each for each in cls.model_fields[key].metadata if isinstance(each, Kind)]
    return kinds[0]


def _arguments(cls: type[Arguments], extra: Mapping[str, Schema] | None = None) -> Schema:
    properties = {**(extra or {}), **_properties(cls)}
    required = [key for key, field in cls.model_fields.items() if field.is_required()]
    return {**_keys(properties, required=required), "description": docstring(cls)}


def _properties(cls: type[Arguments]) -> dict[str, Schema]:
    properties: dict[str, Schema] = {}
    for key, field in cls.model_fields.items():
        properties[key] = _open(_inside_open(kind_of(cls, key).schema()))
        if not field.is_required():
            properties[key] = {**properties[key], "default": plain_data(field.default)}
    return properties


def _keys(properties: Mapping[str, Schema], *, required: Sequence[str] = ()) -> Schema:
    keys: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**keys, "required": list(required)} if required else keys


def _list(items: Schema, *, low: int = 0, high: int = 1000, unique: bool = False) -> Schema:
    many: Schema = {"type": "array", "items": items, "minItems": low, "maxItems": high}
    return {**many, "uniqueItems": True} if unique else many


def _name() -> Schema:
    return {"type": "string", "pattern": f"^{parse_recipe.NAME.pattern}$"}


def _needs_nothing(cls: type[Arguments]) -> bool:
    return not any(field.is_required() for field in cls.model_fields.values())


def _value(cls: type[Arguments]) -> Schema:
    """Return what may stand after `name:`."""
    forms = [_arguments(cls)]
    if cls.main is not None:
        forms.append(_open(kind_of(cls, cls.main).schema()))
    if _needs_nothing(cls):
        forms.append(_NULL)
    return {"anyOf": forms} if len(forms) > 1 else forms[0]


def _layer() -> Schema:
    """Return `name`, `name: {arguments}`, `name: value` for the known layers, and a residual."""
    one = {name: _value(cls) for name, cls in LAYERS.items()}
    one[RESIDUAL] = {**_layers(low=1), "description": docstring(Residual)}
    bare = [name for name, cls in LAYERS.items() if _needs_nothing(cls)]
    mapping = {**_keys(one), "minProperties": 1, "maxProperties": 1}
    return {"description": "a layer", "anyOf": [{"enum": bare}, mapping]}


def _optimizer() -> Schema:
    rate = {"$ref": "#/$defs/learning_rate"}
    one = {
        name: {"anyOf": [_arguments(cls, {"learning_rate": rate}), rate, _NULL]}
        for name, cls in OPTIMIZERS.items()
    }
    mapping = {**_keys(one), "minProperties": 1, "maxProperties": 1}
    return {"description": "an optimizer", "anyOf": [{"enum": list(OPTIMIZERS)}, mapping]}


def _learning_rate() -> Schema:
    rules = {name: _value(cls) for name, cls in PHASES.items()}
    phase = {
        **_keys({"epochs": {"anyOf": [EPOCHS.schema(), _NULL]}, **rules}),
        "oneOf": [{"required": [name]} for name in rules],
    }
    forms = [LEARNING_RATE.schema(), _list(phase, low=1), {"$ref": "#/$defs/choice"}]
    return {"description": RATE_TEXT, "anyOf": forms}


def _training() -> Schema:
    return _keys(
        {
            "epochs": {**_open(EPOCHS.schema()), "default": 20},
            "batch_size": {**_open(parse_training.BATCH_SIZE.schema()), "default": 32},
            "optimizer": _open({"$ref": "#/$defs/optimizer"}),
            **_properties(TrainingOptions),
        }
    )


def _model() -> Schema:
    training = {"training": _open({"$ref": "#/$defs/training"}), "search": _search()}
    declared = {"layers": _layers(), "output": _open(_arguments(Output)), **training}
    python = {"type": "string", "pattern": f"^{_ecma(parse_recipe.PYTHON.pattern)}$"}
    return {
        "anyOf": [
            _keys(declared, required=["layers"]),
            _keys({"backbone": _open(_backbone()), **declared}, required=["backbone"]),
            _keys({"python": python, **training}, required=["python"]),
        ]
    }


def _backbone() -> Schema:
    names = {"enum": list(BACKBONES)}
    text = {"type": "string"}
    shared = {
        "trainable": _open({"type": "boolean"}),
        "learning_rate": _open(LEARNING_RATE.schema()),
    }
    shared["augment"] = _layers()
    passes = _open(parse_backbone.PASSES.schema())
    number = {"anyOf": [{"type": "integer", "minimum": 1}, _NULL]}
    start = {"anyOf": [text, _NULL]}
    network = {"type": "object", "description": "written by Bakeoff: what the other study has"}
    study = {"study": text, "model": text, "from": _open(number), **shared, "network": network}
    named = {"name": _open(names), "from": _open(start), **shared, "passes": passes}
    return {
        "anyOf": [names, _keys(named, required=["name"]), _keys(study, required=["study"])],
        "description": "a network trained elsewhere whose features the layers start from",
    }


def _open(schema: Schema) -> Schema:
    """Return the schema of a value that may be left open, too."""
    return {"anyOf": [schema, {"$ref": "#/$defs/choice"}]}


def _inside_open(schema: Schema) -> Schema:
    """Return the schema of a value of which a part may be left open: {l2: {log: [0.0001, 0.1]}}."""
    found = dict(schema)
    if "anyOf" in schema:
        found["anyOf"] = [_inside_open(each) for each in schema["anyOf"]]
    if "properties" in schema:
        found["properties"] = {key: _open(each) for key, each in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            found[key] = _open(schema[key])
    return found


def _choice() -> Schema:
    """Return the forms of a choice."""
    ends = {"type": "array", "items": Number().schema(), "minItems": 2, "maxItems": 2}
    whole = {**ends, "items": {"type": "integer"}}
    options = {"type": "array", "minItems": 2, "maxItems": search_space.MOST_OPTIONS}
    forms = {"log": ends, "uniform": ends, "whole": whole, "choice": options}
    return {
        "description": "a value that a search is to find",
        "anyOf": [_keys({name: form}, required=[name]) for name, form in forms.items()],
    }


def _layers(*, low: int = 0) -> Schema:
    """Return a list of layers, or a choice of lists."""
    return _open(_list({"$ref": "#/$defs/in_layers"}, low=low, high=parse_model.MAX_LAYERS))


def _in_layers() -> Schema:
    """Return a layer, a choice of layers, or a block that is repeated."""
    layers = {"type": "array", "items": {"$ref": "#/$defs/in_layers"}}
    block = {
        "type": "object",
        "properties": {"layers": layers, "whole": {}, "choice": {}},
        "required": ["layers"],
        "additionalProperties": False,
    }
    repeat = _keys({search_space.REPEAT: block}, required=[search_space.REPEAT])
    return {"anyOf": [*_open({"$ref": "#/$defs/layer"})["anyOf"], repeat]}


def _search() -> Schema:
    search = {key: kind.schema() for key, kind in parse_search.KINDS.items()}
    return {**_keys(search), "description": "how the choices that models leave open are made"}


def _ecma(pattern: str) -> str:
    """Return a Python pattern without its group names, as JSON Schema wants it."""
    return pattern.replace("?P<file>", "").replace("?P<function>", "")


def _data() -> Schema:
    text = {"type": "string", "minLength": 1}
    name = {"type": ["string", "integer"], "minLength": 1}
    known: dict[str, Schema] = {
        **{key: kind.schema() for key, kind in parse_data.PICTURE_KEYS.items()},
        "shape": _list(parse_data.SIDE.schema(), low=2, high=3),
        "label": name,
        "transpose": parse_data.TRANSPOSE.schema(),
    }
    forms: list[Schema] = [{"enum": list(NAMES)}]
    for kind, others in parse_data.KEYS_BESIDE.items():
        keys = {kind: _list(text, low=2, high=4) if kind == "idx" else text}
        for key in others:
            names = parse_data.NAMES_IN.get((kind, key))
            keys[key] = _keys(dict.fromkeys(names, name)) if names else known.get(key, text)
        forms.append(_keys(keys, required=[kind]))
    return {"description": "a data set by name, or where the files are", "anyOf": forms}


def _split() -> Schema:
    fraction = Number(0, 1, above=True, below=True).schema()
    amount = {"anyOf": [Whole(1, 10**9 - 1).schema(), fraction]}
    part = {
        "anyOf": [
            {"const": 0},
            amount,
            _keys({"first": amount}, required=["first"]),
            _keys({"last": amount}, required=["last"]),
        ],
        "default": 0.2,
    }
    return _keys(
        {
            "validation": part,
            "test": {**amount, "default": 0.2},
            "seed": {**parse_split.SEED.schema(), "default": 0},
            "folds": {
                **parse_split.FOLDS.schema(),
                "description": "cross-validation; takes the place of test",
            },
            "repeats": {
                **parse_split.SEED_COUNT.schema(),
                "description": "of the folds; takes the place of seeds",
                "default": parse_split.REPEATS,
            },
        }
    )


def _race() -> Schema:
    after = _list(parse_race.AFTER.schema(), low=1, high=parse_race.LOOKS.high, unique=True)
    return _keys({"after": {"anyOf": [after, parse_race.AFTER.schema()]}}, required=["after"])


def _seeds() -> Schema:
    listed = _list(parse_split.SEED.schema(), low=1, high=parse_split.SEED_COUNT.high, unique=True)
    few, many = parse_seeds.LOOKS.low, parse_seeds.LOOKS.high
    looks = _list(parse_seeds.LOOK.schema(), low=few, high=many, unique=True)
    declared = _keys({"looks": looks}, required=("looks",))
    return {"anyOf": [parse_split.SEED_COUNT.schema(), listed, declared], "default": 5}
