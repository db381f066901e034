"""What choosing on the test images buys: an experiment that is unsealed on purpose.

Bakeoff itself lets no training code reach the test images. Here they are given to the engine as
part of the validation images, so that it is known after every epoch which of them each network
classifies correctly. That is what the documents did; nothing in the reproduction's studies uses it.
"""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.errors import StudyError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.storage import atomic, formats
from bakeoff.study import create
from bakeoff.utils.events import Watcher
from reproduction.parts import ROOT
from reproduction.reported import EPOCHS_WATCHED

FOLDER = "unsealed"


@dataclass(frozen=True)
class Choice:
    """Models among which a document chose: their recipe, and the epochs that it watched.

    The recipe is the honest twin, so that there are validation images to choose by instead.
    epochs : None for the recipe's own
    """

    number: str
    recipe: str
    models: tuple[str, ...]
    seeds: int
    epochs: int | None = None

    def declared(self) -> Recipe:
        """Return the recipe with these models and epochs."""
        recipe = recipes.load(self.recipe)
        models = {name: _with_epochs(recipe.models[name], self.epochs) for name in self.models}
        return recipe.model_copy(update={"models": models})

    def file(self, model: str, seed: int, root: Path) -> Path:
        """Return where the answers of one trial are kept."""
        return root / FOLDER / f"{self.number}-{model}-seed-{seed}.npz"


CHOICES = (
    Choice("001", "honest-001", ("dense", "dense-dropout"), 3, EPOCHS_WATCHED),
    Choice("004", "honest-004", ("course-1", "course-2", "course-3"), 5),
)


@dataclass(frozen=True, eq=False)
class Watched:
    """Which images a trial classified correctly after each of its epochs.

    test : bool (epochs, n_test)
    accuracy, cross_entropy : float64 (epochs,), of the validation images
    """

    test: NDArray[np.bool_]
    accuracy: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]
    seconds: float


def run(*, only: Sequence[str] = (), root: Path = ROOT, watcher: Watcher) -> None:
    """Train what is missing, one trial after the other on one core; `only` names models.

    Raises
    ------
    StudyError
        If `only` names a model that is not part of the experiment.
    """
    known = [model for choice in CHOICES for model in choice.models]
    for name in only:
        if name not in known:
            raise StudyError(
                f"expected a model of the experiment ({', '.join(known)}), found {name!r}"
            )
    for choice in CHOICES:
        wanted = [model for model in choice.models if not only or model in only]
        todo = [
            (model, seed)
            for model in wanted
            for seed in range(choice.seeds)
            if not choice.file(model, seed, root).exists()
        ]
        if todo:
            _run_choice(choice, todo, root, watcher)


def read(choice: Choice, *, root: Path = ROOT) -> dict[str, list[Watched]] | None:
    """Return the trials of a choice, by model, in the order of their seeds; None if one is missing.

    Raises
    ------
    StorageError
        If a file is not as it was written.
    """
    found: dict[str, list[Watched]] = {}
    for model in choice.models:
        for seed in range(choice.seeds):
            path = choice.file(model, seed, root)
            if not path.exists():
                return None
            found.setdefault(model, []).append(_load(path))
    return found


def _with_epochs(model: ModelRecipe, epochs: int | None) -> ModelRecipe:
    if epochs is None:
        return model
    training = model.training.model_copy(update={"epochs": epochs})
    return model.model_copy(update={"training": training})


def _run_choice(
    choice: Choice, todo: Sequence[tuple[str, int]], root: Path, watcher: Watcher
) -> None:
    """Train and keep trials of one choice; Keras and JAX are loaded here and not before."""
    from platformdirs import user_cache_path

    from bakeoff.training import backend

    backend.start("cpu", cache=user_cache_path("bakeoff") / "programs")
    from bakeoff.training.trainer import Development

    recipe = choice.declared()
    data, split = create.load_split(recipe)
    watched = np.concatenate([split.test, split.validation])
    development = Development(
        data.images[split.train],
        data.labels[split.train],
        data.images[watched],
        data.labels[watched],
        data.maximum,
        data.n_classes,
    )
    for model, seed in todo:
        watcher.note(f"unsealed: {model} seed {seed}")
        trial = _train(recipe.models[model], development, seed, n_test=len(split.test))
        atomic.write_file(choice.file(model, seed, root), _bytes(trial))


def _train(model: ModelRecipe, development: Any, seed: int, *, n_test: int) -> Watched:
    from bakeoff.analysis import metrics
    from bakeoff.training.trainer import Trainer

    started = time.monotonic()
    # "last": the trainer's result, asked after every epoch, is then that of this epoch.
    trainer = Trainer(model, development, seed=seed, selection="last")
    labels = development.validation_labels
    correct, entropy = [], []
    while not trainer.done:
        trainer.epoch()
        probabilities = np.asarray(trainer.result().validation)
        correct.append(metrics.correct(probabilities, labels))
        entropy.append(metrics.cross_entropy(probabilities[n_test:], labels[n_test:]).mean())
    answers = np.stack(correct)
    return Watched(
        test=answers[:, :n_test],
        accuracy=answers[:, n_test:].mean(axis=1),
        cross_entropy=np.array(entropy),
        seconds=time.monotonic() - started,
    )


def _bytes(trial: Watched) -> bytes:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        test=np.packbits(trial.test, axis=1),
        n_test=trial.test.shape[1],
        accuracy=trial.accuracy,
        cross_entropy=trial.cross_entropy,
        seconds=trial.seconds,
    )
    return buffer.getvalue()


def _load(path: Path) -> Watched:
    try:
        with np.load(io.BytesIO(atomic.read_file(path)), allow_pickle=False) as arrays:
            return Watched(
                test=np.unpackbits(arrays["test"], axis=1, count=int(arrays["n_test"])).astype(
                    bool
                ),
                accuracy=arrays["accuracy"],
                cross_entropy=arrays["cross_entropy"],
                seconds=float(arrays["seconds"]),
            )
    except (ValueError, KeyError, OSError) as error:
        raise formats.damaged(path) from error
