"""A whole study behind scikit-learn's fit and predict: arrays in, predicted classes out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from bakeoff.data.dataset import DataSet
from bakeoff.data.in_memory.frames import images_of
from bakeoff.data.in_memory.python_data import from_python
from bakeoff.errors import DataError, UsageError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.arguments import a_path
from bakeoff.study.study import Study
from bakeoff.study.winner.predictions import predict
from bakeoff.study.winner.trained_model import with_all_seeds


class NotFitted(UsageError, NotFittedError):  # type: ignore[misc]  # scikit-learn is untyped
    """Predicting before fit, as scikit-learn's tools and Bakeoff's own expect it."""


def _labels(y: ArrayLike) -> NDArray[Any]:
    """Return the classes as an array of shape (n,); a column of them will do."""
    labels = np.asarray(y)
    if labels.shape[1:] == (1,):
        return labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            f"y: expected one class for each image, shape (n,), found shape {labels.shape}"
        )
    return labels


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Train several networks over several seeds, and predict with the one a study recommends.

    `fit` carries a whole study out: it takes a test part and a validation part from what it is
    given, trains, opens the test part once and compares. `result_` tells what came out; look at it
    before you trust a prediction. `predict` asks all seeds of the chosen model together; with
    split={"folds": 5}, which tests every image, the one network that was trained on all of them.

    Parameters
    ----------
    models : each model's name and layers, as `bakeoff.Study` takes them
    seeds : how many seeds (0, 1, …), or which; None: 5, or none where split has folds
    training : epochs, batch_size, optimizer, as in a recipe; None: the defaults
    split : validation and test, or folds and repeats, as in a recipe; None: the defaults
    out : the study's folder; None: a temporary one that goes with this object

    Attributes
    ----------
    classes_ : the classes of `y`, sorted, shape (n_classes,)
    result_ : the study's `Result`
    model_ : the name of the model that predicts

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> networks = {"small": {"layers": [{"dense": 16}]}, "large": {"layers": [{"dense": 128}]}}
    >>> winner = bakeoff.Classifier(networks, seeds=3, training={"epochs": 10})
    >>> winner.fit(digits.images, digits.target).predict(digits.images[:5])
    """

    def __init__(
        self,
        models: Mapping[str, Any],
        *,
        seeds: int | Sequence[int] | None = None,
        training: Mapping[str, Any] | None = None,
        split: Mapping[str, Any] | None = None,
        out: str | Path | None = None,
    ) -> None:
        self.models = models
        self.seeds = seeds
        self.training = training
        self.split = split
        self.out = out

    def fit(self, X: ArrayLike, y: ArrayLike) -> Classifier:
        """Carry the study out on images X, shape (n, height, width[, channels]), of classes y.

        Raises
        ------
        UsageError : one line that says what was expected and what was found.
        """
        labels = _labels(y)
        data = from_python((X, labels))
        try:
            classes, first = np.unique(labels, return_index=True)
        except TypeError:
            raise DataError(
                "y: expected classes of one kind, found some that have no order"
            ) from None
        self._require_its_images(data)
        study = Study(
            "classifier",
            data=data,
            models=self.models,
            seeds=self.seeds,
            training=self.training,
            split=self.split,
        )
        with ExitStack() as if_it_fails:
            folder = None if self.out else tempfile.TemporaryDirectory(prefix="bakeoff-")
            if folder is not None:
                if_it_fails.callback(folder.cleanup)
            result = study.run(out=Path(folder.name) / "study" if folder else self.out)
            if_it_fails.pop_all()
        chosen = result.comparison.recommended
        assert chosen is not None  # a study that was opened has a model
        # all at once: a fit that failed or was interrupted leaves what was fitted before
        self.classes_, self.result_, self.model_ = classes, result, chosen.model
        self._columns = data.labels[first]  # the study may call and order classes otherwise
        self._folder = folder
        return self

    def _require_its_images(self, data: DataSet) -> None:
        """Refuse other images than those of the study in `out`: there is no recipe to rename."""
        folder = StudyFolder(a_path(self.out, "out")) if self.out else None
        if (
            folder is not None
            and folder.exists()
            and folder.read_study()["data"]["hash"] != data.hash
        ):
            raise UsageError(
                f"{folder.path}: expected the images that this study was begun with, found others: "
                "give Classifier(out=…) another folder, or none, as for cross_val_score, which "
                "fits on others each time"
            )

    def __getstate__(self) -> Any:
        """Refuse to be pickled while its study lies in a folder that goes with this object."""
        if getattr(self, "_folder", None) is not None:
            raise UsageError(
                "expected a classifier whose study stays, found one in a temporary folder: give "
                "Classifier(out=…) a folder, and fit it again"
            )
        return super().__getstate__()

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each class, float32 (n, n_classes), columns as in classes_."""
        if not hasattr(self, "result_"):
            raise NotFitted("expected a classifier that was fitted, found none: call fit first")
        trained = with_all_seeds(self.result_.trained(self.model_))
        found = predict(images_of(X, "X"), trained, adapt="never")
        return found.probabilities[:, self._columns]

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each image, shape (n,), as y names it."""
        best = self.predict_proba(X).argmax(axis=1)
        predicted: NDArray[Any] = self.classes_[best]
        return predicted
