"""Study: a recipe in Python, the same words and the same job."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any, Never

from bakeoff import recipe as recipes
from bakeoff.data.in_memory.python_data import from_python, is_declared
from bakeoff.errors import RecipeError, StudyInterrupted
from bakeoff.recipe.parsing.yaml_reader import MAX_DEPTH
from bakeoff.storage.study_folder import place_of
from bakeoff.study.arguments import a_path
from bakeoff.study.compare import compare as compare_folders
from bakeoff.study.result import Result
from bakeoff.study.run import run as carry_out
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device
from bakeoff.utils.text import counted, listed, some
from bakeoff.utils.user_paths import current_folder


class Study:
    """A recipe in Python: the same words, the same job.

    Parameters
    ----------
    name : what the study and its folder are called
    data : "digits", "mnist", "fashion-mnist", or what a recipe's `data` may hold, for instance
        {"folder": "leaves", "size": [64, 64], "color": "rgb"}; or what is at hand in Python:
        arrays (x, y) or (x_train, y_train, x_test, y_test), x of shape (n, height, width) or
        (n, height, width, channels), a pandas frame of paths and labels, a torch or tf.data set
    models : each model's name, and its layers and training as a recipe has them, or a function
        `build(input_shape, n_classes) -> keras.Model` defined in a file
    seeds : how many seeds (0, 1, …), or which
    title, split, race, search, selection, training, baselines, margin, give_up, prefer : as in
        a recipe

    Examples
    --------
    >>> study = bakeoff.Study(
    ...     "mine",
    ...     data="digits",
    ...     models={"small": {"layers": [{"dense": 16}]}, "large": {"layers": [{"dense": 256}]}},
    ...     seeds=5,
    ...     training={"epochs": 20},
    ... )
    >>> result = study.run()

    Raises
    ------
    RecipeError : one line that says what was expected, what was found, and where.
    """

    def __init__(
        self,
        name: str,
        *,
        data: Any,
        models: Mapping[str, Any],
        seeds: int | Sequence[int] | None = None,
        race: Mapping[str, Any] | None = None,
        search: Mapping[str, Any] | None = None,
        title: str | None = None,
        split: Mapping[str, Any] | None = None,
        selection: str | None = None,
        training: Mapping[str, Any] | None = None,
        baselines: Sequence[str] | None = None,
        margin: float | None = None,
        give_up: float | None = None,
        prefer: str | None = None,
        **unknown: Never,
    ) -> None:
        """Declare a study; what is None is as in a recipe that does not say it.

        unknown : refused as a recipe refuses it, so that `epochs` is told its place
        """
        if late := next((key for key in unknown if key in signature(Study.run).parameters), None):
            raise RecipeError(
                f"recipe {name}, {late}: unknown key; it belongs to run: study.run({late}=…)"
            )
        self._data = None if is_declared(data) else from_python(data)
        mapping = {
            "name": name,
            "title": title,
            "data": data if self._data is None else {"arrays": self._data.hash},
            "split": split,
            "seeds": seeds,
            "race": race,
            "search": search,
            "selection": selection,
            "training": training,
            "baselines": baselines,
            "margin": margin,
            "give_up": give_up,
            "prefer": prefer,
            "models": models,
            **unknown,
        }
        mapping = {key: _plain(value) for key, value in mapping.items() if value is not None}
        self.recipe = recipes.parse(mapping, origin=name, folder=current_folder())

    @classmethod
    def from_recipe(cls, path_or_name: str | Path) -> "Study":
        """Return the study that a recipe's file, or a shipped recipe, declares."""
        study = cls.__new__(cls)
        study.recipe = recipes.load(path_or_name)
        study._data = None
        return study

    def __repr__(self) -> str:
        """Say in one line what the study would compare."""
        recipe = self.recipe
        return (
            f"<Study {recipe.name}: {counted(len(recipe.models), 'model')} "
            f"({listed(recipe.models)}), {counted(len(recipe.seeds), 'seed')}>"
        )

    def run(
        self,
        *,
        out: str | Path | None = None,
        seeds: int | None = None,
        only: Sequence[str] = (),
        workers: int | None = None,
        device: Device | None = None,
        keep_sealed: bool = False,
        open_without: Sequence[str] = (),
        on: str | None = None,
        watcher: Watcher | None = None,
    ) -> Result:
        """Carry the study out, as `bakeoff.study.run.run` does; progress goes to standard error."""
        from bakeoff.study.progress.notebook_progress import shown_progress

        current_folder()  # workers begin there
        place = place_of(self.recipe.name, None if out is None else a_path(out, "out"))
        try:
            with nullcontext(watcher) if watcher is not None else shown_progress() as hearing:
                return carry_out(
                    self.recipe,
                    # hashed again: its arrays are the caller's, who may have changed them
                    data=None if self._data is None else replace(self._data),
                    # whole: a script or notebook may change to another folder meanwhile
                    out=place.absolute(),
                    seeds=seeds,
                    only=only,
                    workers=workers,
                    device=device,
                    keep_sealed=keep_sealed,
                    open_without=open_without,
                    on=on,
                    watcher=hearing,
                )
        except KeyboardInterrupt:
            raise StudyInterrupted(
                "interrupted; what is finished is kept, and running the same again goes on"
            ) from None


def run(
    recipe: str | Path | Study,
    *,
    out: str | Path | None = None,
    seeds: int | None = None,
    only: Sequence[str] = (),
    workers: int | None = None,
    device: Device | None = None,
    keep_sealed: bool = False,
    open_without: Sequence[str] = (),
    on: str | None = None,
) -> Result:
    """Train what is missing of a study, open the test set once, compare, write the report.

    Parameters
    ----------
    recipe : a recipe's file, the name of a shipped recipe ("digits"), or a Study
    out : the study's folder; studies/<name> by default
    seeds : how many seeds (0, 1, …) instead of the recipe's
    only : names of models to train; with any, nothing is opened
    workers : trials at a time; by default one for each core, one on a GPU
    device : "cpu" or "gpu"; by default a GPU where Bakeoff's gpu extra is installed
    keep_sealed : train everything, open nothing
    open_without : trials, "MODEL:SEED", that are lost again and again: if they are missing, they
        are not trained, and the test set is opened without them, which the ledger keeps
    on : "ray" or "ray://HOST:PORT" to train on a Ray cluster (docs/scale.md)

    Returns
    -------
    Result : in a notebook it shows its table and its main figure

    Raises
    ------
    UsageError, StorageError : one line: what was expected, what was found, what to do.
    StudyInterrupted : a KeyboardInterrupt; what is finished is kept.

    Examples
    --------
    >>> result = bakeoff.run("digits", seeds=3)
    >>> result.recommended
    """
    study = recipe if isinstance(recipe, Study) else Study.from_recipe(recipe)
    return study.run(
        out=out,
        seeds=seeds,
        only=only,
        workers=workers,
        device=device,
        keep_sealed=keep_sealed,
        open_without=open_without,
        on=on,
    )


def compare(study: str | Path, *more: str | Path) -> Result:
    """Compare finished studies from what is on disk; nothing is trained or opened.

    Parameters
    ----------
    study, more : folders of studies; several must share one test set

    Examples
    --------
    >>> bakeoff.compare("studies/digits").plot_confusion()
    """
    places = [a_path(each, "compare") for each in (study, *more)]
    places = [each if each.is_absolute() else current_folder() / each for each in places]
    return compare_folders(places).illustrated()


def _plain(value: Any, depth: int = 0) -> Any:
    """Return what YAML would have given: lists for tuples, text for paths, builders by name.

    NumPy's numbers and arrays become Python's.
    """
    if depth > MAX_DEPTH:  # what holds itself is deeper than anything
        raise RecipeError(f"expected at most {MAX_DEPTH} levels of nesting, found more")
    if isinstance(value, Mapping):
        plain = {
            str(key): _reference(each) if key == "python" and callable(each) else each
            for key, each in value.items()
        }
        plain = {key: _plain(each, depth + 1) for key, each in plain.items()}
        if len(plain) < len(value):  # 3 and "3"
            keys = some([*map(str, value)])
            raise RecipeError(f"expected keys that differ as text, found one twice among {keys}")
        return plain
    if isinstance(value, list | tuple | range):
        return [_plain(each, depth + 1) for each in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    if callable(value):
        return {"python": _reference(value)}
    return str(value) if isinstance(value, Path) else value


def _reference(builder: Any) -> str:
    """Return "file.py:name" of a function that workers can import from its file."""
    if hasattr(builder, "get_config") and not isinstance(builder, type):  # Keras is not imported
        raise RecipeError(
            "models: expected layers as in a recipe, or a function build(input_shape, n_classes) "
            f"in a file, found a finished {type(builder).__name__} model: return it from such a "
            "function, since every seed begins with a new one"
        )
    name = getattr(builder, "__qualname__", "")
    file = getattr(getattr(builder, "__code__", None), "co_filename", "")
    if not name.isidentifier() or not Path(file).is_file():
        raise RecipeError(
            "models: expected a function defined at the top of a Python file, found "
            f"{name or builder!r}: put it in a file, since worker processes import it from there"
        )
    return f"{Path(file).resolve()}:{name}"
