"""What a run comes to: the comparison, and every view of it, for notebooks and scripts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bakeoff import store
from bakeoff.errors import StudyError
from bakeoff.results import Comparison, Finding, Pair
from bakeoff.store import StudyFolder
from bakeoff.workers import Lost

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Result:
    """A study as far as it has come; `sealed` while its test set has not been opened."""

    folder: StudyFolder
    opened: Comparison | None
    lost: tuple[Lost, ...] = ()

    @property
    def sealed(self) -> bool:
        """Say whether the test set is still sealed."""
        return self.opened is None

    @property
    def comparison(self) -> Comparison:
        """The comparison; raises StudyError while the test set is sealed."""
        if self.opened is None:
            raise StudyError(
                f"{self.folder.path}: expected an opened test set, found it sealed: "
                "run the study without --only and --keep-sealed"
            )
        return self.opened

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
        """The name of the model to ship; None where there is none."""
        recommendation = self.comparison.recommended
        return None if recommendation is None else recommendation.model

    def table(self) -> Any:
        """Return the table as a rich renderable; printing it with rich shows it."""
        from bakeoff.report import terminal

        return terminal.table(self.comparison)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        return self.comparison.to_json()

    def to_frame(self) -> Any:
        """Return one row a model as a pandas DataFrame, which needs pandas."""
        import pandas

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
        return pandas.DataFrame(rows).set_index("model")

    def plot_accuracy(self) -> "Figure":
        """Return the dot plot of accuracies: every seed, interval, letters."""
        from bakeoff import figures

        return figures.accuracy_dots(self.comparison)

    def plot_learning_curves(self, model: str | None = None) -> "Figure":
        """Return the learning curves of a model; by default of the recommended one."""
        from bakeoff import figures

        return figures.learning_curves(self.comparison, model or self.recommended)

    def plot_confusion(self, model: str | None = None, *, diagonal: bool = True) -> "Figure":
        """Return the confusion matrix of a model; by default of the recommended one."""
        from bakeoff import figures

        return figures.confusion(self.comparison, model or self.recommended, diagonal=diagonal)

    def plot_calibration(self, model: str | None = None) -> "Figure":
        """Return the calibration curve of a model; by default of the recommended one."""
        from bakeoff import figures

        return figures.calibration(self.comparison, model or self.recommended)

    def plot_parameters(self) -> "Figure":
        """Return accuracy against the number of parameters, with the frontier."""
        from bakeoff import figures

        return figures.accuracy_against_parameters(self.comparison)

    def write(self) -> None:
        """Write comparison.json and report.html into the study's folder."""
        from bakeoff import report

        store.write_file(self.folder.comparison_file, store.canonical(self.to_json()))
        store.write_file(self.folder.report_file, report.html(self.comparison).encode())

    def _repr_html_(self) -> str:
        from bakeoff import report

        return report.fragment(self.comparison)
