"""What the JSON files of a study hold: keys, types and ranges, checked before anybody uses them.

A file may have the hash that was recorded and yet be none of ours: whoever forged it can forge the
hash too. Unknown keys are let through.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic_core import CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as core

from bakeoff.errors import DamagedFile, printable
from bakeoff.storage.atomic import RESTORE

# pydantic's core alone: its classes take longer to import and to set up than all of `bakeoff
# status`, which checks every document that it reads.

_NOWHERE = frozenset(("", ".", ".."))
_LARGE = 2**53  # whole numbers up to here are exact in every reader of JSON


def _inside(name: str) -> str:
    if "\0" in name or "\\" in name or not _NOWHERE.isdisjoint(name.split("/")):
        raise ValueError("should stay inside its folder")
    return name


def _one_line(text: str) -> str:
    if not text.isprintable() and any(  # most texts are
        unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in text
    ):
        raise ValueError("should hold no control characters")
    return text


def _different(values: list[int]) -> list[int]:
    if len(set(values)) != len(values):
        raise ValueError("should hold no seed twice")
    return values


def _checked(schema: CoreSchema, check: Callable[[Any], Any]) -> CoreSchema:
    return core.no_info_after_validator_function(check, schema)


def _list(of: CoreSchema, *, least: int | None = None, most: int | None = None) -> CoreSchema:
    return core.list_schema(of, min_length=least, max_length=most)


def _or_none(schema: CoreSchema) -> CoreSchema:
    return core.nullable_schema(schema)


def _one_of(*words: str) -> CoreSchema:
    return core.literal_schema([*words])


def _may_lack(schema: CoreSchema) -> core.TypedDictField:
    """Return the field of a key that a document may lack: what an earlier version did not write."""
    return core.typed_dict_field(schema, required=False)


def _document(**keys: CoreSchema | core.TypedDictField) -> CoreSchema:
    """Return what a document holds under its keys, in the order in which they are checked."""
    fields = {
        key: cast(core.TypedDictField, each)
        if each["type"] == "typed-dict-field"
        else core.typed_dict_field(each)
        for key, each in keys.items()
    }
    return core.typed_dict_schema(fields, extra_behavior="allow")


_NAME = core.str_schema(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\z")
_HASH = core.str_schema(pattern=r"^[0-9a-f]{64}\z")
_KEY = core.str_schema(pattern=r"^[0-9a-f]{16}\z")
_COUNT = core.int_schema(ge=0, le=_LARGE)
_POSITIVE = core.int_schema(ge=1, le=_LARGE)
_INT = core.int_schema()
_FLOAT = core.float_schema()
_SHARE = core.float_schema(ge=0, le=1)
_NUMBER = core.float_schema(allow_inf_nan=False)
_SECONDS = core.float_schema(ge=0, allow_inf_nan=False)
_WHITE = core.float_schema(gt=0, allow_inf_nan=False)
_TEXT = _checked(core.str_schema(max_length=10_000), _one_line)
_SEEDS = _checked(_list(_COUNT), _different)
_FILE = _checked(core.str_schema(), _inside)
_APART = _checked(core.str_schema(pattern=r"^(.*/)?(timing|environment)\.json\z"), _inside)
_SHAPE = _list(_POSITIVE, least=3, most=3)
_ANYTHING = core.dict_schema(core.str_schema(), core.any_schema())
_VERSION = _or_none(core.union_schema([_TEXT, _INT]))
_VERSIONS = core.dict_schema(_TEXT, _VERSION)
_SEEDS_BY_MODEL = core.dict_schema(_NAME, _SEEDS)
_HASHES = core.dict_schema(_FILE, _HASH)
_VALUES = core.dict_schema(_TEXT, core.union_schema([_INT, _FLOAT]))

_TWIN = _document(  # two images of two parts that are the same, or nearly
    kind=_one_of("exact", "near"), parts=_TEXT, files=_list(_TEXT, least=2, most=2)
)
_PICTURES = _document(
    size=_list(_POSITIVE, least=2, most=2),
    color=_one_of("grey", "rgb"),
    fit=_one_of("stretch", "crop", "pad"),
    scale=_or_none(_WHITE),
)
_DATA = _document(
    name=_TEXT,
    train=_POSITIVE,
    validation=_COUNT,
    test=_POSITIVE,
    hash=_HASH,
    test_hash=_HASH,
    input_shape=_SHAPE,
    class_names=_list(_TEXT, least=2),
    maximum=_WHITE,
    deep_white=_may_lack(_or_none(_WHITE)),
    dtype=_may_lack(_TEXT),
    pictures=_may_lack(_or_none(_PICTURES)),
    test_start=_or_none(_POSITIVE),
    validation_start=_may_lack(_or_none(_POSITIVE)),
    notes=_list(_TEXT),
    class_counts=core.dict_schema(_TEXT, _list(_COUNT)),
    twins=_may_lack(_list(_TWIN)),  # study.json of before 0.2 has none
    folds=_may_lack(_or_none(_POSITIVE)),
    repeats=_may_lack(_or_none(_POSITIVE)),
)
_VALIDATION = _document(images=_POSITIVE, accuracy=_SHARE, cross_entropy=_or_none(_NUMBER))
_SETTINGS = _document(training=_document(epochs=_POSITIVE))
_STANDING = _document(
    model=_NAME,
    seeds=_SEEDS,
    accuracy=_SHARE,
    difference=core.float_schema(ge=-1, le=1),
    p=_SHARE,
    dropped=core.bool_schema(),
)

_KINDS: Mapping[str, CoreSchema] = {
    "study.json": _document(
        name=_NAME,
        title=_or_none(_TEXT),
        recipe=_HASH,
        split=_HASH,
        split_file=_HASH,
        resolved=_ANYTHING,
        identities=core.dict_schema(_NAME, _HASH),
        data=_DATA,
        duplicates=core.dict_schema(_one_of("exact", "near"), core.dict_schema(_TEXT, _COUNT)),
        test_images=_may_lack(_list(_KEY)),  # study.json of before 0.2 has none
        environment=_VERSIONS,
        created=_TEXT,
    ),
    "trial.json": _document(
        model=_NAME,
        seed=_COUNT,
        selection=_one_of("best-loss", "best-accuracy", "last"),
        settings=_SETTINGS,
        input_shape=_SHAPE,
        n_classes=_POSITIVE,
        parameters=_COUNT,
        trainable_parameters=_COUNT,
        epochs_trained=_POSITIVE,
        selected_epoch=_or_none(_COUNT),
        diverged_epoch=_or_none(_COUNT),
        validation=_or_none(_VALIDATION),
        images=_may_lack(_POSITIVE),  # of a shipped model: how many it was trained on
    ),
    # an opening's also says how long one image is predicted, alone or in a batch
    "timing.json": _document(
        seconds=_SECONDS,
        image_seconds=_may_lack(_or_none(_SECONDS)),
        batch_seconds=_may_lack(_or_none(_SECONDS)),
    ),
    # `earlier` are those of checkpoints that the trial went on from
    "environment.json": core.typed_dict_schema(
        {"earlier": _may_lack(_list(_VERSIONS))}, extra_behavior="allow", extras_schema=_VERSION
    ),
    "baseline.json": _document(name=_NAME, parameters=_COUNT),
    "opening.json": _document(
        opening=_POSITIVE,
        models=_SEEDS_BY_MODEL,
        baselines=_list(_NAME),
        weights=_may_lack(_HASHES),  # none by version 0.1.0
        test=_HASH,
    ),
    "race.json": _document(
        look=_POSITIVE,
        after=_POSITIVE,
        delta=_SHARE,
        level=_SHARE,
        leader=_NAME,
        images=_POSITIVE,
        standings=_list(_STANDING, least=1),
    ),
    "search.json": _document(
        space=_ANYTHING,
        settings=_POSITIVE,
        sampler=_TEXT,
        seed=_COUNT,
        split=_HASH,
        data=_HASH,
        first=_may_lack(_or_none(_one_of("middle", "probes"))),  # earlier versions said less
        pruning_after=_may_lack(_or_none(_POSITIVE)),
    ),
    # a line: a setting that was asked for, or what came of it
    "settings.jsonl": _document(
        setting=_COUNT,
        values=_may_lack(_or_none(_VALUES)),
        thresholds=_may_lack(_or_none(_list(_or_none(_SHARE)))),
        state=_may_lack(
            _or_none(_one_of("done", "pruned", "diverged", "impossible", "lost")),
        ),
        accuracy=_may_lack(_or_none(_SHARE)),
        cross_entropy=_may_lack(_or_none(_NUMBER)),
        epochs=_may_lack(_or_none(_COUNT)),
        seconds=_may_lack(_or_none(_SECONDS)),
        elapsed=_may_lack(_or_none(_SECONDS)),
    ),
    "chosen.json": _document(
        setting=_COUNT,
        values=_VALUES,
        words=core.dict_schema(_TEXT, _TEXT),
        accuracy=_SHARE,
        tried=_POSITIVE,
    ),
    "manifest.json": _document(files=_HASHES, apart=_may_lack(_list(_APART))),
    # a line; what version 0.1.0 did not write may be lacking
    "ledger.jsonl": _document(
        opening=_POSITIVE,
        time=_may_lack(_TEXT),
        study=_may_lack(_TEXT),
        models=_may_lack(_SEEDS_BY_MODEL),
        weights=_may_lack(_HASHES),
        baselines=_may_lack(_or_none(_list(_NAME))),
        seeds=_may_lack(_or_none(_SEEDS)),
        looks=_may_lack(_or_none(_list(_POSITIVE, least=2))),
        margin=_may_lack(_or_none(_SHARE)),
        give_up=_may_lack(_or_none(_SHARE)),
        prefer=_may_lack(_or_none(_one_of("parameters", "time"))),
        images=_may_lack(_list(_KEY)),
        race=_may_lack(_or_none(_document(dropped=core.dict_schema(_NAME, _POSITIVE)))),
        searches=_may_lack(
            _or_none(core.dict_schema(_NAME, _document(tried=_POSITIVE, chosen=_COUNT)))
        ),
        without=_may_lack(_list(_TEXT)),  # missing trials, "MODEL:SEED", excused
        # from the user's ledger, perhaps of an older study in the same place
        restored=_may_lack(core.bool_schema()),
    ),
}


@cache
def _validator(kind: str) -> SchemaValidator:
    return SchemaValidator(_KINDS[kind])


def check_document(document: object, path: Path, kind: str | None = None) -> dict[str, Any]:
    """Return a document that was read from `path`; StorageError if it is not what is kept there.

    Parameters
    ----------
    kind : the name of the file that it must be like; that of `path` by default
    """
    try:
        _validator(kind or path.name).validate_python(document, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = printable(".".join(str(part) for part in first["loc"]))
        reason = first["msg"].removeprefix("Value error, ").replace("Input ", "it ", 1)
        raise DamagedFile(
            f"{path}: expected what Bakeoff writes there, found something else"
            f"{f' at {place[:80]}' if place else ''} ({reason[:120]}): {RESTORE}"
        ) from None
    assert isinstance(document, dict)
    return document
