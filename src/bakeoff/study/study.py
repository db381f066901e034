"""Study: a recipe in Python, the same words and the same job."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff import recipe as recipes
from bakeoff.data.python_data import from_python, is_declared
from bakeoff.errors import RecipeError
from bakeoff.study.result import Result
from bakeoff.study.run import run


class Study:
    """A recipe in Python: the same words, the same job.

    >>> bakeoff.Study("mine", data="digits", models={"mlp": {"layers": [{"dense": 64}]}}).run()
    """

    def __init__(
        self,
        name: str,
        *,
        data: Any,
        models: Mapping[str, Any],
        seeds: int | Sequence[int] = 5,
        **settings: Any,
    ) -> None:
        self._data = None if is_declared(data) else from_python(data)
        mapping = {
            "name": name,
            "data": _plain(data) if self._data is None else {"arrays": self._data.hash},
            "models": _plain(models),
            "seeds": _plain(seeds),
            **_plain(settings),
        }
        self.recipe = recipes.parse(mapping, origin=name, folder=Path.cwd())

    @classmethod
    def from_recipe(cls, path_or_name: str | Path) -> "Study":
        """Return the study that a recipe's file, or a shipped recipe, declares."""
        study = cls.__new__(cls)
        study.recipe = recipes.load(path_or_name)
        study._data = None
        return study

    def run(self, **options: Any) -> Result:
        """Carry the study out; the options are those of `bakeoff.study.run.run`."""
        if "watcher" not in options:
            from bakeoff.study.progress import progress

            with progress() as watcher:
                return run(self.recipe, data=self._data, watcher=watcher, **options)
        return run(self.recipe, data=self._data, **options)


def _plain(value: Any) -> Any:
    """Return what YAML would have given: lists for tuples, text for paths, builders by name."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(each) for each in value]
    if callable(value):
        return {"python": _reference(value)}
    return str(value) if isinstance(value, Path) else value


def _reference(builder: Any) -> str:
    """Return "file.py:name" of a function that workers can import from its file."""
    name = getattr(builder, "__qualname__", "")
    file = getattr(getattr(builder, "__code__", None), "co_filename", "")
    if not name.isidentifier() or not Path(file).is_file():
        raise RecipeError(
            "models: expected a function defined at the top of a Python file, found "
            f"{name or builder!r}: put it in a file, since worker processes import it from there"
        )
    return f"{Path(file).resolve()}:{name}"
