"""A recipe from text and back: a file, a shipped recipe or a mapping to a Recipe, and to YAML."""

import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from bakeoff.data.sources import NAMES
from bakeoff.errors import RecipeError
from bakeoff.recipe.kept_paths import kept_paths
from bakeoff.recipe.parsing.parse_recipe import read_recipe
from bakeoff.recipe.parsing.problems import Problems
from bakeoff.recipe.parsing.yaml_reader import MAX_BYTES, MAX_NODES, read_yaml
from bakeoff.recipe.suggestions import nearest
from bakeoff.recipe.types import ModelRecipe, Recipe
from bakeoff.recipe.value_kinds import found
from bakeoff.utils.text import shell_command
from bakeoff.utils.user_paths import current_folder

_DATA = (".csv", ".tsv", ".npz", ".parquet")  # endings of files that `bakeoff new` takes


def parse(mapping: Any, *, origin: str, folder: Path) -> Recipe:
    """Return the recipe that a mapping of plain data declares.

    Parameters
    ----------
    mapping : dict
        As YAML gives it: the grammar of docs/recipe.md.
    origin : str
        What to call the recipe in messages, such as its path.
    folder : Path
        What relative paths in the recipe are relative to.

    Raises
    ------
    RecipeError
        One line: the place, what was expected, what was found; further problems are counted.
    """
    problems = Problems()
    recipe = read_recipe(mapping, folder, problems)
    if recipe is None or problems.found:
        place, text = problems.found[0]
        more = len(problems.found) - 1
        raise RecipeError(
            f"recipe {origin}{f', {place}' if place else ''}: {text}"
            + (f" (and {more} more)" if more else "")
        )
    return recipe


def load(path_or_name: str | Path) -> Recipe:
    """Return the recipe in a YAML file, or the shipped recipe of that name.

    A file with that very path goes before a shipped recipe. Raises RecipeError.
    """
    if not isinstance(path_or_name, str | os.PathLike):
        raise RecipeError(
            "recipe: expected a recipe's file or the name of a shipped recipe, found "
            f"{type(path_or_name).__name__}: bakeoff.Study(…) takes a recipe's words in Python"
        )
    origin = str(path_or_name)
    path = Path(os.path.expanduser(path_or_name))
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
        if is_file and path.suffix.lower() not in _DATA:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            return read(content, origin=origin, folder=path.resolve().parent)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecipeError(f"recipe {found(origin)} cannot be read: {reason}") from None
    if isinstance(path_or_name, str) and path_or_name in shipped():
        content = (_shipped_folder() / f"{origin}.yaml").read_bytes()
        return read(content, origin=origin, folder=current_folder())
    have = _instead(origin, path, is_file=is_file, is_folder=is_folder)
    raise RecipeError(
        f"recipe {found(origin)}: expected a recipe file or the name of a shipped recipe, found "
        f"{have}"
    )


def _instead(origin: str, path: Path, *, is_file: bool, is_folder: bool) -> str:
    """Say what was given in the place of a recipe, and what to do."""
    if is_file or origin in NAMES:
        kind = "a file of data" if is_file else "the name of a data set"
        return f"{kind}; {shell_command('new', origin)} writes one"
    if is_folder and (path / "study.json").is_file():
        return f"a study's folder; its recipe is {path / 'recipe.yaml'}"
    if is_folder:
        return "a folder; bakeoff new FOLDER writes a recipe for a folder of images"
    for suffix in {".yaml", ".yml"} - {path.suffix}:
        if (there := path.with_suffix(suffix)).is_file():
            return f"no such file; did you mean {there}?"
    close = nearest(path.name.removesuffix(path.suffix), shipped())
    hint = f"did you mean {close}?" if close else f"shipped: {', '.join(shipped())}"
    return f"neither; {hint}"


def read(content: bytes, *, origin: str, folder: Path) -> Recipe:
    """Return the recipe in a YAML file's content; the rest is as for `parse`."""
    if len(content) > MAX_BYTES:
        raise RecipeError(
            f"recipe {origin}: expected at most {MAX_BYTES:,} bytes, found more; "
            f"this does not look like a recipe"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(
            f"recipe {origin}, line {line}: expected UTF-8 text, found the byte "
            f"{content[error.start]:#04x}; save the file as UTF-8"
        ) from None
    return parse(read_yaml(text, origin=origin), origin=origin, folder=folder)


def shipped() -> tuple[str, ...]:
    """Return the names of the recipes that come with Bakeoff, in alphabetical order."""
    names = [each.name for each in _shipped_folder().iterdir()]
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def dump(recipe: Recipe, *, folder: Path | None = None) -> str:
    """Return the recipe as YAML, every default written out; loading it gives an equal Recipe.

    Paths are absolute or, where it is to be read in `folder`, as seen from there. Raises
    RecipeError where it would be too large to be loaded.
    """
    plain = recipe.resolved() if folder is None else kept_paths(recipe.resolved(), folder)
    values = _values(plain)
    if values > MAX_NODES:
        raise _too_large(recipe, f"{MAX_NODES:,} values", f"{values:,}")
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    size = len(text.encode())
    if size > MAX_BYTES:
        raise _too_large(recipe, f"{MAX_BYTES:,} bytes", f"{size:,}")
    return text


def _values(plain: Any) -> int:
    """Count values as the reader of recipes does: keys, too."""
    if isinstance(plain, dict):
        return 1 + sum(1 + _values(each) for each in plain.values())
    return 1 + sum(map(_values, plain)) if isinstance(plain, list) else 1


def _too_large(recipe: Recipe, bound: str, amount: str) -> RecipeError:
    return RecipeError(
        f"recipe {recipe.name}: expected at most {bound} with every default written out, found "
        f"{amount}: share its models out to several studies; `bakeoff compare` takes several"
    )


def model_fingerprint(model: ModelRecipe) -> str:
    """Return the SHA-256 (hex) of a model's layers, output and training; its name does not count.

    Of a `python` model it covers the path only, not what the file says.
    """
    text = json.dumps(model.resolved(), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _shipped_folder() -> Any:
    return resources.files("bakeoff.recipe") / "shipped"
