"""What a search of one model leaves in the study's folder: its journal, its trials, its choice.

    search/cnn/search.json     the choices, the budget, the hashes of data and split
    search/cnn/settings.jsonl  the journal: settings asked for, and what came of them, in order
    search/cnn/trials/setting-7/seed-1000000007/    a trial like any other
    search/cnn/chosen/         the setting that was chosen: from now on the model is this one

Optuna is given the journal's content each time it is asked; it has no storage of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bakeoff.errors import DamagedFile, StudyError
from bakeoff.recipe import Recipe
from bakeoff.recipe.apply_setting import with_settings
from bakeoff.recipe.dimension import Dimension, Setting, fits, short_names
from bakeoff.recipe.kept_paths import without_folders
from bakeoff.recipe.parsing.parse_search import TUNING_SEEDS
from bakeoff.storage import atomic, formats, ledger, written_folder
from bakeoff.storage.schemas import check_document

SEARCH = "search"
_SEARCH, _JOURNAL, _CHOSEN = "search.json", "settings.jsonl", "chosen.json"
STARTUP = 10  # settings of `tpe` that are drawn at random
# keys of search.json
_FIRST, _PRUNING_AFTER, _TRAINING, _BUILDER = "first", "pruning_after", "training", "builder"


@dataclass(frozen=True)
class Opening:
    """How a search begins that samples by `tpe`.

    probes : settings at the front that are not drawn: the middle of all choices, and points near it
    every : of so many settings one is drawn at random, until STARTUP were; the others follow from
        what is known. 1: the STARTUP come one after another
    """

    probes: int = 0
    every: int = 1

    def draws(self, number: int) -> bool:
        """Say whether this setting is drawn at random, whatever is known."""
        later = number - self.probes
        return 0 <= later < self.every * STARTUP and later % self.every == 0


_NEWEST, _PRUNES_AFTER = "probes", 3
_OPENINGS = {None: Opening(), "middle": Opening(1), _NEWEST: Opening(3, every=3)}
_PRUNED_AFTER = 5  # before search.json said it
_WORDS = {"space": "choices", "data": "images", "seed": "sampler's seed"}


@dataclass(frozen=True)
class Tried:
    """A setting that was asked for, and what came of it.

    `state` is None until something came of it, then "done", or "pruned", "diverged", "impossible"
    or "lost": such a setting is never chosen. `elapsed` are the seconds of the search until then.
    """

    number: int
    values: Setting
    thresholds: tuple[float | None, ...] = ()
    state: str | None = None
    accuracy: float | None = None
    cross_entropy: float | None = None
    epochs: int = 0
    seconds: float | None = None
    elapsed: float | None = None
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether it may be chosen."""
        return self.state == "done" and self.accuracy is not None

    @property
    def rank(self) -> tuple[float, float, int]:
        """What settings are sorted by, the best first: accuracy, cross-entropy, number."""
        worst = float("inf")
        entropy = worst if self.cross_entropy is None else self.cross_entropy
        return (-(self.accuracy or 0.0), entropy, self.number)


_FIELDS = {each.name for each in fields(Tried)} - {"number"}  # of a line of the journal


class SearchFolder:
    """Names, reads and writes what is in the folder of one model's search."""

    def __init__(self, study: Path, model: str) -> None:
        self.path = study / SEARCH / model
        self.model = model

    def exists(self) -> bool:
        """Say whether a search was begun here."""
        return (self.path / _SEARCH).is_file()

    def require_chosen(self, why: str) -> None:
        """Raise StorageError where what was searched for, or the choice, is gone.

        why : how it is known that a setting was chosen
        """
        for path in (self.path / _SEARCH, self.path / "chosen" / _CHOSEN):
            if not path.is_file():
                raise formats.missing(path, why)

    def trial(self, number: int) -> Path:
        """Return the folder of a setting's finished trial."""
        return self.path / "trials" / setting_name(number) / f"seed-{TUNING_SEEDS + number}"

    def read_trial(self, number: int) -> dict[str, Any]:
        """Return the trial.json of a setting; StorageError if it was changed or is another's."""
        path = self.trial(number)
        document = written_folder.read_document(path, "trial.json")
        if document["seed"] != TUNING_SEEDS + number:
            wanted = f"setting {number} with seed {TUNING_SEEDS + number}"
            raise formats.exchanged(path, wanted, f"one with seed {document['seed']}")
        return document

    def read(self) -> dict[str, Any]:
        """Return search.json; StorageError if it was changed."""
        path = self.path / _SEARCH
        return check_document(formats.read_sealed_json(path), path)

    def begin(self, document: Mapping[str, Any]) -> None:
        """Write search.json, or refuse to go on with a search for something else."""
        if self.exists():
            self.require_begun_with(document)
            return
        rules: dict[str, Any] = {_PRUNING_AFTER: _PRUNES_AFTER}
        if document["sampler"] == "tpe":
            rules[_FIRST] = _NEWEST
        atomic.write_file(self.path / _SEARCH, formats.sealed_json({**document, **rules}))

    def require_begun_with(self, document: Mapping[str, Any]) -> None:
        """Refuse to go on with a search for something else.

        A search that an earlier version began goes on by that version's rules, and did not say
        how its settings are trained.
        """
        before = self.read()
        before["space"] = without_folders(before["space"])
        for key, now in document.items():
            was = before.get(key)
            if was == now or (key in (_TRAINING, _BUILDER) and key not in before):
                continue
            plain = isinstance(was, int | str) and isinstance(now, int | str)
            raise StudyError(
                f"{self.path}: expected the {_WORDS.get(key, key)} that this search was begun "
                f"with{f' ({was})' if plain else ''}, found {now if plain else 'another'}: "
                "undo the change, or give the changed recipe another place with --out"
            )

    def require_builder(self, found: str) -> None:
        """Refuse a Python builder whose file is not the one that the search was begun with.

        found : the file's hash; "" for a model of declared layers
        """
        if self.exists() and self.read().get(_BUILDER, found) != found:
            raise StudyError(
                f"{self.path}: expected the Python builder that this search was begun with, found "
                "its file, or one that it imports, changed: undo the change, or search again with "
                "another --out"
            )

    def opening(self) -> Opening:
        """Return how this search began: as the version that began it does."""
        return _OPENINGS[self.read().get(_FIRST)]

    def pruning_after(self) -> int:
        """Return how many settings are trained to the end before one is stopped early."""
        return int(self.read().get(_PRUNING_AFTER, _PRUNED_AFTER))

    def tried(self, dims: tuple[Dimension, ...]) -> list[Tried]:
        """Return the settings in the order in which they were asked for.

        Raises StorageError where one is none of the choices `dims`, or was never asked for, or
        where one is missing of those among which the search chose.
        """
        found: dict[int, dict[str, Any]] = {}
        for line in ledger.read_ledger(self.path / _JOURNAL, _JOURNAL):
            known = {key: each for key, each in line.items() if key in _FIELDS}
            found.setdefault(line["setting"], {}).update(known)
        asked = [each.get("values") for each in found.values()]
        if list(found) != list(range(len(found))) or not all(v and fits(dims, v) for v in asked):
            raise formats.damaged(self.path / _JOURNAL)
        chosen = self.chosen()
        if chosen is not None and chosen["tried"] != len(found):
            raise DamagedFile(
                f"{self.path / _JOURNAL}: expected the {chosen['tried']} settings of which one was "
                f"chosen, found {len(found)}: restore it from a copy, or begin a new study with "
                "--out"
            )
        return [
            Tried(number, **{**each, "thresholds": tuple(each.get("thresholds") or ())})
            for number, each in found.items()
        ]

    def append(self, setting: int, **said: Any) -> None:
        """Write a line of the journal."""
        line = {"setting": setting, **{key: each for key, each in said.items() if each is not None}}
        ledger.append_ledger(self.path / _JOURNAL, line, _JOURNAL)

    def choose(self, best: Tried, document: Mapping[str, Any]) -> None:
        """Write down the setting that was chosen; it is not changed any more."""
        target = self.path / "chosen"
        content = {"setting": best.number, "values": dict(best.values), **document}
        files = {_CHOSEN: formats.canonical(content)}
        written_folder.write_folder(target, files, scratch=self.path / "chosen.partial")

    def chosen(self) -> dict[str, Any] | None:
        """Return chosen.json; None while the search goes on."""
        target = self.path / "chosen"
        if not target.exists():
            return None
        return written_folder.read_document(target, _CHOSEN)


def setting_name(number: int) -> str:
    """Return what a setting is called in the search's folder."""
    return f"setting-{number}"


def declared(recipe: Recipe, name: str) -> dict[str, Any]:
    """Return what search.json says of a model's search as a recipe declares it.

    The training that all models have counts, too: settings are compared with one another.
    """
    model = recipe.models[name]
    if model.search is None:
        raise ValueError(f"{name} leaves no choice open")
    said = {"space": without_folders(model.search.space), _TRAINING: model.training.resolved()}
    plain: dict[str, Any] = json.loads(formats.canonical(said))
    return {**plain, **model.search.budget(), "selection": recipe.selection}


def with_chosen(recipe: Recipe, study: Path) -> Recipe:
    """Return a recipe whose searched models have the settings that were chosen, where one was.

    Raises StudyError where a search was begun with other choices than the recipe's.
    """
    settings = {}
    for name, model in recipe.models.items():
        folder = SearchFolder(study, name)
        if model.search is None or not folder.exists():
            continue
        folder.require_begun_with(declared(recipe, name))
        chosen = folder.chosen()
        if chosen is not None:
            if not fits(model.search.dimensions, chosen["values"]):
                raise formats.damaged(folder.path / "chosen" / _CHOSEN)
            settings[name] = chosen["values"]
    return with_settings(recipe, settings) if settings else recipe


def best_first(tried: list[Tried]) -> list[Tried]:
    """Return the settings that may be chosen, the best one first."""
    return sorted((each for each in tried if each.usable), key=lambda each: each.rank)


def setting_words(dims: tuple[Dimension, ...], values: Setting) -> dict[str, str]:
    """Return a setting as a reader sees it, by short names."""
    names = short_names(dims)
    return {
        names[each.place]: each.words(values[each.place]) for each in dims if each.place in values
    }
