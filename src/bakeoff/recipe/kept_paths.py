"""A recipe's paths as a study keeps them: as seen from its folder; in a trial, only their names.

A study is sent to others and moved to other machines: where its data, builders and backbones lay
when it was made tells nobody anything, and may tell the name of a user.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bakeoff.recipe.parsing.parse_data import PATHS
from bakeoff.utils.user_paths import seen_from


def kept_paths(recipe: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a resolved recipe that reads to the same from a file in `folder`.

    recipe : as `Recipe.resolved` gives it
    """

    def seen(path: str) -> str:
        return seen_from(folder, Path(path))

    data = recipe["data"]
    if isinstance(data, Mapping):
        data = {key: _each(seen, value) if key in PATHS else value for key, value in data.items()}
    models = {name: _with_paths(seen, model) for name, model in recipe["models"].items()}
    return {**recipe, "data": data, "models": models}


def without_folders(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolved model with nothing but the names of its builder's file and other study."""
    return _with_paths(lambda path: Path(path).name, model)


def without_paths(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolved model that is equal wherever its builder's file and other study lie."""
    return _with_paths(lambda path: "", model)


def _each(say: Callable[[str], str], value: Any) -> Any:
    return [say(each) for each in value] if isinstance(value, list) else say(value)


def _with_paths(say: Callable[[str], str], model: Mapping[str, Any]) -> dict[str, Any]:
    changed, python, backbone = dict(model), model.get("python"), model.get("backbone")
    if isinstance(python, str):
        file, _, function = python.rpartition(":")
        changed["python"] = f"{say(file)}:{function}"
    if isinstance(backbone, Mapping) and isinstance(backbone.get("study"), str):
        changed["backbone"] = {**backbone, "study": say(backbone["study"])}
    return changed
