"""What a run comes to: the comparison, and every view of it, for notebooks and scripts.

`bakeoff compare` shows its table alone: what uses the winner and the images is imported then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from errno import EACCES, EPERM, EROFS
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bakeoff import report
from bakeoff.analysis.comparison import Comparison, Finding
from bakeoff.analysis.verdicts import Pair
from bakeoff.errors import BakeoffError, StorageError, StudyError
from bakeoff.report import plots
from bakeoff.report.page import galleries
from bakeoff.report.words import wording
from bakeoff.storage import atomic, formats
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.executors.interface import Lost
from bakeoff.study.frame import frame
from bakeoff.utils.text import counted, some
from bakeoff.utils.user_paths import from_here

if TYPE_CHECKING:
    from bakeoff.data import DataSet
    from bakeoff.report.page.galleries import Gallery
    from bakeoff.report.plots import Figure
    from bakeoff.study.winner.predictions import Predictions
    from bakeoff.study.winner.read_pictures import Adapt
    from bakeoff.study.winner.trained_model import TrainedModel

_MOST_LINES = 8


@dataclass(frozen=True, repr=False)
class Result:
    """A study as far as it has come; `opened` is None where this run was to open nothing.

    In a notebook it shows its table and its main figure; each `plot_…` method returns a picture
    that shows itself and has `.save("name.svg")`. Accuracies are fractions in [0, 1], losses
    cross-entropies, times seconds.

    Examples
    --------
    >>> result = bakeoff.compare("studies/digits")
    >>> result.recommended
    >>> result.to_frame()
    >>> result.plot_learning_curves("cnn").save("curves.pdf")
    """

    folder: StudyFolder
    opened: Comparison | None
    lost: tuple[Lost, ...] = ()
    waiting_for: tuple[str, ...] = ()  # missing trials, "MODEL:SEED", that keep the test set sealed

    @property
    def sealed(self) -> bool:
        """Say whether no run has opened the test set yet."""
        return self.opened is None and not self.folder.times_opened()

    @property
    def comparison(self) -> Comparison:
        """The comparison; raises StudyError where this run opened nothing."""
        if self.opened is None:
            found, hint = "it sealed", "run the study without only= and keep_sealed=True"
            if self.waiting_for:
                found, hint = f"{some(self.waiting_for)} missing", self.advice
            if not self.sealed:
                found = "a run that opened nothing, of a study that was opened before"
                hint = "bakeoff.compare compares what was opened"
            raise StudyError(
                f"{self.folder.path}: expected an opened test set, found {found}: {hint}"
            )
        return self.opened

    @property
    def advice(self) -> str:
        """What to do about the trials that the study is waiting for; "" where it waits for none."""
        if not self.waiting_for:
            return ""
        options = " ".join(f"--open-without {each}" for each in self.waiting_for)
        return (
            "nothing was opened, since trials are missing: the same command tries them once more, "
            f"and with {options} it opens the test set without them, which is recorded"
        )

    @property
    def verdicts(self) -> tuple[Pair, ...]:
        """Every pair of models with its verdict."""
        return self.comparison.pairs

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks noticed."""
        return self.comparison.findings

    @property
    def recommended(self) -> str | None:
        """The name of the model to use; None where the headline recommends none."""
        return self.comparison.to_use

    def table(self) -> Any:
        """Return the table as a rich renderable; printing it with rich shows it."""
        return report.table(self.comparison)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        return self.comparison.to_json()

    def to_frame(self) -> Any:
        """Return one row a model as a pandas DataFrame, which needs pandas."""
        rows = [
            {
                "model": model.name,
                "parameters": model.parameters,
                "accuracy": model.accuracy.mean,
                "accuracy_low": model.accuracy.estimate.low,
                "accuracy_high": model.accuracy.estimate.high,
                "loss": model.loss.mean,
                "seeds": len(model.seeds),
                "group": model.group,
                "seconds_per_trial": model.seconds_per_trial,
            }
            for model in self.comparison.models
        ]
        return frame(rows, index="model")

    def markdown(self) -> str:
        """Return the table in GitHub's Markdown, with the recommendation."""
        return report.markdown(self.comparison)

    def csv(self) -> str:
        """Return the table as CSV, with full precision; accuracies are fractions in [0, 1]."""
        return report.csv(self.comparison)

    def latex(self) -> str:
        """Return the table as LaTeX, in the style of booktabs."""
        return report.latex(self.comparison)

    def model_card(self, model: str | None = None) -> str:
        """Return the model card of a model in Markdown; by default of the recommended one."""
        return report.model_card(self.comparison, model)

    def _of(self, model: str | None) -> str | None:
        """Return the model that a figure shows: the one that is named, else the recommended one."""
        if model is not None:
            return model
        recommended = self.comparison.recommended
        return None if recommended is None else recommended.model

    # ── using a trained model: the recommended one where none is named, its median seed ──

    def trained(
        self, model: str | None = None, *, seed: int | None = None, ensemble: bool = False
    ) -> TrainedModel:
        """Return a trained model of the study; `ensemble` takes all its seeds."""
        from bakeoff.study.winner.trained_model import trained_model

        folder, recommended = self.folder, None if self.opened is None else self.recommended
        if self._several:
            found = plots.figure.find(self.comparison, self._of(model))
            folder = self._folder_of(found.study)
            own = found.name.removeprefix(f"{found.study}/")  # in its own study
            taken = model is None and found.name == recommended
            model, recommended = (None, own) if taken else (own, None)
        return trained_model(
            folder, model=model, seed=seed, ensemble=ensemble, recommended=recommended
        )

    @property
    def _several(self) -> bool:
        """Whether it compares several studies."""
        return self.opened is not None and len(self.opened.folders) > 1

    def _folder_of(self, study: str) -> StudyFolder:
        """Return the folder of one of the studies compared, which is called by name or by place."""
        from bakeoff.storage.study_recipe import read_recipe

        folders = [StudyFolder(each) for each in self.comparison.folders]
        by_place = {str(each.path): each for each in folders}
        if study in by_place:
            return by_place[study]
        return {read_recipe(each, each.read_study()).name: each for each in folders}[study]

    def predict(
        self,
        images: Any,
        *,
        model: str | None = None,
        seed: int | None = None,
        ensemble: bool = False,
        adapt: Adapt = "auto",
    ) -> Predictions:
        """Predict new images: picture files, folders, npz files, or an array of images.

        Arrays have the shape (n, height, width[, channels]) and pixels on the data set's scale.
        `bakeoff.study.winner.predictions.predict` says more.
        """
        from bakeoff.study.winner.predictions import predict

        trained = self.trained(model, seed=seed, ensemble=ensemble)
        return predict(images, trained, adapt=adapt)

    def model(
        self, name: str | None = None, *, seed: int | None = None, ensemble: bool = False
    ) -> Any:
        """Return a keras.Model ready to use: pixels as the data set stores them, probabilities out.

        It consists of Keras's own layers and scales the pixels itself.
        """
        return self.trained(name, seed=seed, ensemble=ensemble).keras_model()

    # ── figures: of the recommended model where no model is named. Each shows itself as the last
    # line of a notebook's cell; `.save("name.svg")` writes it as .svg, .png or .pdf. ──

    def plot_accuracy(self) -> Figure:
        """Return the dot plot of test accuracies: every seed, 95 % interval, letters, baselines."""
        return plots.accuracy_dots(self.comparison)

    def plot_verdicts(self) -> Figure:
        """Return the matrix of verdicts, each model against each, differences in points."""
        return plots.verdict_matrix(self.comparison)

    def plot_all_curves(self, show: Literal["accuracy", "loss"] = "accuracy") -> Figure:
        """Return the validation accuracy, or loss, of all models by epoch in one picture."""
        return plots.all_curves(self.comparison, show=show, width=640, height=340)

    def plot_learning_curves(self, model: str | None = None) -> Figure:
        """Return a model's loss and accuracy by epoch, training and validation."""
        return plots.learning_curves(self.comparison, self._of(model))

    def plot_learning_rate(self, model: str | None = None) -> Figure:
        """Return a model's learning rate by epoch."""
        return plots.learning_rate(self.comparison, self._of(model))

    def plot_confusion(
        self, model: str | None = None, *, diagonal: bool = True, rates: bool = False
    ) -> Figure:
        """Return a model's confusion matrix, mean over its seeds, with or without its diagonal.

        Numbers are images, or with `rates` percent of each true class.
        """
        name = self._of(model)
        return plots.confusion(self.comparison, name, diagonal=diagonal, rates=rates)

    def plot_per_class(self, model: str | None = None) -> Figure:
        """Return a model's accuracy in each class, the worst first."""
        return plots.per_class(self.comparison, self._of(model), width=640)

    def plot_roc(self, model: str | None = None) -> Figure:
        """Return ROC curves of each class against the rest, with the band of all seeds."""
        return plots.roc_curves(self.comparison, self._of(model), width=560)

    def plot_precision_recall(self, model: str | None = None) -> Figure:
        """Return precision-recall curves of each class against the rest, with the seeds' band."""
        return plots.precision_recall_curves(self.comparison, self._of(model), width=560)

    def plot_calibration(self, model: str | None = None) -> Figure:
        """Return how often a model was correct against how sure it was."""
        return plots.calibration(self.comparison, self._of(model))

    def plot_parameters(self) -> Figure:
        """Return accuracy against the number of parameters, with the frontier."""
        return plots.accuracy_against_parameters(self.comparison, width=560)

    def plot_time(
        self, kind: Literal["training", "prediction", "batch prediction"] = "training"
    ) -> Figure:
        """Return accuracy against the seconds of training or of predicting, with the frontier."""
        return plots.accuracy_against_time(self.comparison, kind=kind, width=560)

    def plot_variance(self) -> Figure:
        """Return where each accuracy's uncertainty comes from: images, seeds, or both."""
        return plots.variance(self.comparison, width=640)

    def plot_tuning(self) -> Figure:
        """Draw what each searched model's best of so many settings reaches, with its band."""
        return plots.tuning_curves(self.comparison)

    def plot_settings(self, model: str | None = None) -> Figure:
        """Draw every setting of a model's search as a line through its values."""
        return plots.parallel_coordinates(self.comparison, model)

    def plot_importance(self, model: str | None = None) -> Figure:
        """Draw how much each choice of a searched model matters for a good setting."""
        return plots.importance(self.comparison, model)

    def plot_classes(self) -> Figure:
        """Return how many images each class has for training, validation and test."""
        return plots.class_counts(self.comparison, width=560)

    def plot_mistakes(self, model: str | None = None) -> Gallery:
        """Return the test images that a model gets most wrong, with its predictions."""
        name = plots.figure.find(self.comparison, self._of(model)).name
        return galleries.worst_mistakes(self.comparison, self.comparison.model(name))

    def plot_label_suspects(self) -> Gallery:
        """Return the test images whose labels deserve a second look."""
        return galleries.label_suspects(self.comparison)

    def plot_samples(self) -> Gallery:
        """Return a few training images of every class."""
        return galleries.all_samples(self.comparison)

    def illustrated(self, data: DataSet | None = None) -> Result:
        """Return the same with pictures of the images that its report shows, where it can.

        They are taken from `data`, or else from what the recipe names, if that is at hand and
        still what the study recorded.
        """
        from bakeoff.study.collect_images import illustrated

        return replace(self, opened=illustrated(self.comparison, self.folder, data))

    def write(self) -> None:
        """Write comparison.json, report.html, MODEL_CARD.md, pictures.npz into the study's folder.

        What needs no image is written without the data, too. StudyError where that is not what the
        folder holds: it would hide the study's own table, or an opening.
        """
        if self._several or self.comparison.test_openings < self.folder.times_opened():
            found = "one of several" if self._several else "one made before it was opened again"
            raise StudyError(
                f"{self.folder.path}: expected the comparison of this study as it is now, found "
                f"{found}: bakeoff.compare of this folder alone gives it"
            )
        shown = self.illustrated()
        comparison, folder = shown.comparison, shown.folder
        files = {
            folder.comparison_file: formats.canonical(shown.to_json()),
            folder.report_file: report.html(comparison).encode(),
        }
        if comparison.pictures is not None:
            files[folder.pictures_file] = comparison.pictures.to_bytes()
        if shown.comparison.recommended is not None:
            files[folder.card_file] = shown.model_card().encode()
        with _its_own_place(folder.path):
            for path, content in files.items():
                atomic.write_file(path, content)

    def _repr_html_(self) -> str:
        """Return table and main figure for a notebook's cell; while sealed, how far it is."""
        if self.opened is None:
            from bakeoff.study.status import as_text, status

            try:
                text = as_text(status(self.folder.path))
            except BakeoffError as error:  # the folder was moved or changed since
                text = str(error)
            return f'<pre style="white-space: pre-wrap">{escape(text)}</pre>'
        figure = self.plot_accuracy().svg() if self.opened.models else ""
        return f"{report.fragment(self.opened)}{figure}"

    def __repr__(self) -> str:
        """Say in a few lines what came out; `table()` says more."""
        if self.opened is None:
            found = "sealed" if self.sealed else "this run opened nothing"
            return f"<Result of {from_here(self.folder.path)}: {found}>"
        opened = self.opened
        lines = [f"Result of {opened.study}: {report.answer(opened)}"]
        for model in opened.models[:_MOST_LINES]:
            lines.append(f"  {model.name}: {wording.scored(model.accuracy.estimate)}")
        left = len(opened.models) - _MOST_LINES
        if left > 0:
            lines.append(f"  and {left} more")
        lines.append(f"{wording.basis(opened)}; {counted(len(opened.findings), 'finding')}.")
        if not self._several and self.folder.report_file.is_file():
            lines.append(f"Report: {from_here(self.folder.report_file)}")
        return "\n".join(lines)


@contextmanager
def _its_own_place(study: Path) -> Iterator[None]:
    """Say what to do where nothing can be written beside a study, as on a colleague's disk."""
    try:
        yield
    except StorageError as error:
        reason = error.__cause__
        if not isinstance(reason, OSError) or reason.errno not in (EROFS, EACCES, EPERM):
            raise
        raise StorageError(
            f"{study}: {os.strerror(reason.errno).lower()}: the report is written beside the "
            "study, so copy this folder to where you may write, and report the copy"
        ) from error
