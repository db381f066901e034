"""What the JSON files of a study hold: keys, types and ranges, checked before anybody uses them.

A file may have the hash that was recorded and yet be none of ours: whoever forged it can forge the
hash too. Unknown keys are let through.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bakeoff.errors import DamagedFile, printable
from bakeoff.storage.atomic import RESTORE

_LARGE = 2**53  # whole numbers up to here are exact in every reader of JSON


def _inside(name: str) -> str:
    parts = name.split("/")
    if "\0" in name or "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise ValueError("should stay inside its folder")
    return name


def _one_line(text: str) -> str:
    if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in text):
        raise ValueError("should hold no control characters")
    return text


def _different(values: list[int]) -> list[int]:
    if len(set(values)) != len(values):
        raise ValueError("should hold no seed twice")
    return values


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\z")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]
Key = Annotated[str, Field(pattern=r"^[0-9a-f]{16}\z")]
Count = Annotated[int, Field(ge=0, le=_LARGE)]
Positive = Annotated[int, Field(ge=1, le=_LARGE)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(_one_line)]
Seeds = Annotated[list[Count], AfterValidator(_different)]
File = Annotated[str, AfterValidator(_inside)]
Apart = Annotated[File, Field(pattern=r"^(.*/)?(timing|environment)\.json\z")]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class _Twin(_Document):
    """Two images of two parts that are the same, or nearly."""

    kind: Literal["exact", "near"]
    parts: Text
    files: Annotated[list[Text], Field(min_length=2, max_length=2)]


class _Data(_Document):
    name: Text
    train: Positive
    validation: Count
    test: Positive
    hash: Hash
    test_hash: Hash
    input_shape: Annotated[list[Positive], Field(min_length=3, max_length=3)]
    class_names: Annotated[list[Text], Field(min_length=2)]
    maximum: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    deep_white: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    test_start: Positive | None
    validation_start: Positive | None = None
    notes: list[Text]
    class_counts: dict[Text, list[Count]]
    twins: list[_Twin] = []  # study.json of before 0.2 has none
    folds: Positive | None = None
    repeats: Positive | None = None


class _Study(_Document):
    """study.json."""

    name: Name
    title: Text | None
    recipe: Hash
    split: Hash
    split_file: Hash
    resolved: dict[str, Any]
    identities: dict[Name, Hash]
    data: _Data
    duplicates: dict[Literal["exact", "near"], dict[Text, Count]]
    environment: dict[Text, Text | int | None]
    created: Text


class _Validation(_Document):
    images: Positive
    accuracy: Share
    cross_entropy: Number | None


class _Training(_Document):
    epochs: Positive


class _Settings(_Document):
    training: _Training


class _Trial(_Document):
    """trial.json."""

    model: Name
    seed: Count
    selection: Literal["best-loss", "best-accuracy", "last"]
    settings: _Settings
    input_shape: Annotated[list[Positive], Field(min_length=3, max_length=3)]
    n_classes: Positive
    parameters: Count
    trainable_parameters: Count
    epochs_trained: Positive
    selected_epoch: Count | None
    diverged_epoch: Count | None
    validation: _Validation | None


class _Timing(_Document):
    """timing.json; an opening's also says how long one image is predicted, alone or in a batch."""

    seconds: Seconds
    image_seconds: Seconds | None = None
    batch_seconds: Seconds | None = None


class _Environment(_Document):
    """environment.json; `earlier` are those of checkpoints that the trial went on from."""

    earlier: list[dict[Text, Text | int | None]] = Field(default_factory=list)


class _Baseline(_Document):
    """baseline.json."""

    name: Name
    parameters: Count


class _Opening(_Document):
    """opening.json."""

    opening: Positive
    models: dict[Name, Seeds]
    baselines: list[Name]
    weights: dict[File, Hash] = Field(default_factory=dict)  # none by version 0.1.0
    test: Hash


class _Standing(_Document):
    model: Name
    seeds: Seeds
    accuracy: Share
    difference: Annotated[float, Field(ge=-1, le=1)]
    p: Share
    dropped: bool


class _Race(_Document):
    """race.json."""

    look: Positive
    after: Positive
    delta: Share
    level: Share
    leader: Name
    images: Positive
    standings: Annotated[list[_Standing], Field(min_length=1)]


class _Search(_Document):
    """search.json."""

    space: dict[str, Any]
    settings: Positive
    sampler: Text
    seed: Count
    split: Hash
    data: Hash
    first: Literal["middle", "probes"] | None = None  # of `tpe`; earlier versions said less
    pruning_after: Positive | None = None


class _Setting(_Document):
    """A line of settings.jsonl: a setting that was asked for, or what came of it."""

    setting: Count
    values: dict[Text, int | float] | None = None
    thresholds: list[Share | None] | None = None
    state: Literal["done", "pruned", "diverged", "impossible", "lost"] | None = None
    accuracy: Share | None = None
    cross_entropy: Number | None = None
    epochs: Count | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    elapsed: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class _Chosen(_Document):
    """chosen.json."""

    setting: Count
    values: dict[Text, int | float]
    words: dict[Text, Text]
    accuracy: Share
    tried: Positive


class _Manifest(_Document):
    """manifest.json."""

    files: dict[File, Hash]
    apart: list[Apart] = Field(default_factory=list)


class _Line(_Document):
    """A line of a ledger; what version 0.1.0 did not write has a default."""

    opening: Positive
    time: Text = ""
    study: Text = ""
    models: dict[Name, Seeds] = Field(default_factory=dict)
    weights: dict[File, Hash] = Field(default_factory=dict)
    baselines: list[Name] | None = None
    seeds: Seeds | None = None
    looks: Annotated[list[Positive], Field(min_length=2)] | None = None
    margin: Share | None = None
    give_up: Share | None = None
    prefer: Literal["parameters", "time"] | None = None
    images: list[Key] = Field(default_factory=list)
    without: list[Text] = Field(default_factory=list)  # missing trials, "MODEL:SEED", excused
    restored: bool = False  # from the user's ledger, perhaps of an older study in the same place


_KINDS: Mapping[str, type[_Document]] = {
    "study.json": _Study,
    "trial.json": _Trial,
    "timing.json": _Timing,
    "environment.json": _Environment,
    "baseline.json": _Baseline,
    "opening.json": _Opening,
    "race.json": _Race,
    "search.json": _Search,
    "settings.jsonl": _Setting,
    "chosen.json": _Chosen,
    "manifest.json": _Manifest,
    "ledger.jsonl": _Line,
}


def check_document(document: object, path: Path, kind: str | None = None) -> dict[str, Any]:
    """Return a document that was read from `path`; StorageError if it is not what is kept there.

    Parameters
    ----------
    kind : the name of the file that it must be like; that of `path` by default
    """
    try:
        _KINDS[kind or path.name].model_validate(document)
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
