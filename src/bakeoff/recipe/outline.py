"""A recipe as its study's folder has it, in outline: what it names and counts, without the grammar.

The grammar takes longer to import than all of `bakeoff status`, which needs none of it: a study's
recipe was read by the grammar before it was written down, every default with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from bakeoff.errors import RecipeError
from bakeoff.recipe.parsing.yaml_reader import read_yaml

if TYPE_CHECKING:
    from bakeoff.recipe.types import Recipe

BASELINES = ("majority", "logistic")
MOST_SEEDS = 1000  # of a model, or repeats; where a file has more, the recipe itself is read


@dataclass(frozen=True)
class Outline:
    """What a recipe names and counts; `searched` are those of its models that leave choices open.

    `looks` and `folds` are the recipe's: () and None where it has none.
    """

    name: str
    models: tuple[str, ...]
    searched: tuple[str, ...]
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    folds: int | None
    baselines: tuple[str, ...]


def outline(recipe: Recipe) -> Outline:
    """Return the outline of a recipe."""
    return Outline(
        recipe.name,
        tuple(recipe.models),
        tuple(name for name, model in recipe.models.items() if model.search is not None),
        recipe.seeds,
        recipe.looks,
        recipe.split.folds,
        recipe.baselines,
    )


def read_outline(content: bytes, models: frozenset[str]) -> Outline | None:
    """Return the outline of a recipe that a study wrote down.

    None where `content`, the bytes of its file, is not what `dump` writes of a recipe with these
    models: then the recipe itself is to be read, which says what is wrong with it.
    """
    try:
        plain = read_yaml(content.decode(), origin="")
    except (UnicodeDecodeError, RecipeError):
        return None
    if not isinstance(plain, Mapping) or "search" in plain:
        return None
    named, split, baselines = (plain.get(key) for key in ("models", "split", "baselines"))
    if not (isinstance(named, Mapping) and isinstance(split, Mapping)):
        return None
    if not isinstance(baselines, list) or any(each not in BASELINES for each in baselines):
        return None
    whole = set(named) == models and all(isinstance(each, Mapping) for each in named.values())
    seeds, looks, folds = _seeds(plain.get("seeds"), split), _looks(plain), split.get("folds")
    if not (whole and seeds and isinstance(plain.get("name"), str)):
        return None
    if folds is not None and not _count(folds):
        return None
    searched = tuple(name for name, each in named.items() if "search" in each)
    return Outline(plain["name"], tuple(named), searched, seeds, looks, folds, tuple(baselines))


def _seeds(said: Any, split: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the seeds that a recipe lists, or counts as looks or repeats; None where unclear."""
    if "folds" in split:
        repeats = split.get("repeats")
        return tuple(range(repeats)) if said is None and _count(repeats) else None
    if isinstance(said, Mapping):
        looks = said.get("looks")
        return tuple(range(looks[-1])) if set(said) == {"looks"} and _ascending(looks) else None
    if isinstance(said, list) and said and all(type(each) is int and each >= 0 for each in said):
        return tuple(said) if len(set(said)) == len(said) else None
    return None


def _looks(plain: Mapping[str, Any]) -> tuple[int, ...]:
    said = plain.get("seeds")
    return tuple(said.get("looks") or ()) if isinstance(said, Mapping) else ()


def _ascending(looks: Any) -> TypeGuard[list[int]]:
    known = isinstance(looks, list) and len(looks) > 0 and all(_count(each) for each in looks)
    return known and looks == sorted(set(looks))


def _count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 1 <= value <= MOST_SEEDS
