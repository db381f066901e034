"""What a comparison says, as frozen values, and as one JSON document; nothing is read or computed.

`compare.compare` builds a Comparison, `checks.check` its findings, figures and report show it.
Accuracies are fractions in [0, 1], losses cross-entropies in nats, times seconds. Where a field
holds one value a seed, the order is that of `ModelResult.seeds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.estimates import Estimate, failure_rate
from bakeoff.analysis.json_document import model_document, study_document
from bakeoff.analysis.metrics import Calibration
from bakeoff.analysis.preference import Order
from bakeoff.analysis.race_outcome import Race
from bakeoff.analysis.recommendation import Headline, Recommendation
from bakeoff.analysis.statistics import unit_of
from bakeoff.analysis.tuning import Searched
from bakeoff.analysis.verdicts import Look, Pair
from bakeoff.storage.thumbnails import Pictures
from bakeoff.utils.text import counted, percent

Severity = Literal["info", "warning", "serious"]


@dataclass(frozen=True)
class Score:
    """A score of one model: its mean with interval, and the value of every seed."""

    estimate: Estimate
    per_seed: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over seeds and images."""
        return self.estimate.mean


@dataclass(frozen=True)
class Lead:
    """How far a model is ahead of a baseline in accuracy, on the same images, with interval."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class ModelResult:
    """One model over all its seeds.

    `epochs` is what the recipe declares; a diverged trial has a shorter history. `selected_epochs`
    holds None for a trial that kept its initial weights, `diverged_epochs` None for one that did
    not diverge; both count as the histories' column `epoch` does. `group` holds the letters of
    the models it is not separated from, "" where there are no verdicts.
    """

    name: str  # as the recipe has it; "study/model" where several studies have a model of that name
    study: str
    selection: str  # the rule that picked the epochs
    settings: Mapping[str, Any]  # layers, output and training, in the recipe's grammar
    parameters: int
    trainable_parameters: int
    seeds: tuple[int, ...]
    epochs: int
    selected_epochs: tuple[int | None, ...]
    diverged: tuple[int, ...]  # the seeds whose training diverged
    diverged_epochs: tuple[int | None, ...]
    seconds_per_trial: float | None  # mean over the seeds whose times are there
    prediction_seconds: float | None  # of one image alone; None where it was not measured
    batch_prediction_seconds: float | None  # the same of an image in a batch
    group: str
    accuracy: Score
    loss: Score
    balanced_accuracy: Score
    macro_f1: Score
    per_class_accuracy: tuple[Score | None, ...]  # None: the test set has no image of the class
    validation_accuracy: tuple[float | None, ...]  # of the selected epoch; None: no validation part
    confusion: NDArray[np.float64]  # (k, k): true class × predicted class, counts, mean over seeds
    predicted: NDArray[np.int64]  # (seeds, k): how often each class was predicted
    calibration: tuple[Calibration, ...]  # one a seed
    leads: Mapping[str, Lead]  # by baseline
    histories: tuple[Mapping[str, NDArray[np.float64]], ...]  # one a seed: HISTORY_COLUMNS
    failed: tuple[int, ...] = ()  # the seeds that diverged, died or predict one class
    sound_accuracy: float | None = None  # mean of the other seeds; None if there are none
    remarks: tuple[str, ...] = ()  # codes of what is strange about the user's own builder
    ensemble: float | None = None  # test accuracy of the seeds' mean probabilities; None: one seed
    folded: bool = False  # cross-validated: its seeds are repeats, of as many networks as folds

    def __repr__(self) -> str:
        return f"<ModelResult {self.name}: accuracy {percent(self.accuracy.mean)}>"

    @property
    def unit(self) -> str:
        """What it has one score each of: "seed" or "repeat"."""
        return unit_of(folded=self.folded)

    @property
    def failure_rate(self) -> tuple[float, float]:
        """The interval of the rate at which training this model fails."""
        return failure_rate(len(self.failed), len(self.seeds))


@dataclass(frozen=True, eq=False, repr=False)
class BaselineResult:
    """A model that needs no seed: always the majority class, or logistic regression."""

    name: str
    parameters: int
    accuracy: Estimate  # Wilson's interval
    confusion: NDArray[np.float64]  # (k, k): true class × predicted class, counts

    def __repr__(self) -> str:
        return f"<BaselineResult {self.name}: accuracy {percent(self.accuracy.mean)}>"


@dataclass(frozen=True, repr=False)
class Finding:
    """Something a check noticed: one sentence with its numbers, and one that says what to do."""

    code: str
    severity: Severity
    model: str | None  # None: about the study
    text: str
    advice: str

    def __repr__(self) -> str:
        return f"<Finding {self.code}, {self.severity}: {self.text}>"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Everything that is known when a study's test set has been opened.

    Of several studies: `study` joins their names with " + ", `title` is None, `data` is the first
    one's, `test_openings` their sum, `margin` and `give_up` the smallest, and models are ordered by
    parameters. `probabilities[name]` reads one model's test predictions from the opening each time
    it is asked.
    """

    study: str
    title: str | None
    folders: tuple[Path, ...]
    data: Mapping[str, Any]  # study.json's "data"
    class_names: tuple[str, ...]
    selection: str
    seeds: tuple[int, ...]  # all seeds of any model
    margin: float
    give_up: float
    order: Order  # by what the recommendation calls one model less than another
    test_openings: int
    openings_elsewhere: int | None  # by other studies of this user; None: that ledger is unreadable
    shared_elsewhere: float  # the largest part of these test images that any of those opened
    models: tuple[ModelResult, ...]  # highest mean accuracy first
    baselines: tuple[BaselineResult, ...]
    pairs: tuple[Pair, ...]  # best first
    recommended: Recommendation | None  # the walk's choice; what to make of it says `headline`
    missing: tuple[str, ...]  # declared but not in the opening: "cnn seed 3"
    changed: tuple[str, ...]  # no longer what was opened, so left out: "cnn seed 3 (replaced)"
    duplicates: Mapping[str, Mapping[str, int]]  # study.json's; of several, the largest
    ledger: tuple[Mapping[str, Any], ...]
    environment: Mapping[str, Any]  # values in which trials differ are joined by " + "
    environments: Mapping[str, Mapping[str, int]]  # those entries: value → how many trials
    labels: NDArray[np.int64]  # (n_test,)
    probabilities: Mapping[str, NDArray[np.float32]]  # by model: (seeds, n_test, k)
    partly_elsewhere: bool = False  # whether some of those opened only a part of them
    headline: Headline | None = None
    look: Look | None = None  # which of the declared looks this is, where the study has several
    planned_openings: int = 1  # of the openings, those that the first one declared, itself included
    changed_rules: tuple[str, ...] = ()  # since the first opening, in words
    findings: tuple[Finding, ...] = ()
    race: Race | None = None
    searches: tuple[Searched, ...] = ()
    pictures: Pictures | None = None  # of the images a report shows, where they were taken

    def __repr__(self) -> str:
        held = {"model": self.models, "pair": self.pairs, "finding": self.findings}
        said = ", ".join(counted(len(each), name) for name, each in held.items())
        return f"<Comparison of {self.study}: {said}>"

    @property
    def folded(self) -> bool:
        """Whether it is of cross-validation."""
        return self.n_folds > 1

    @property
    def n_folds(self) -> int:
        """How many folds there are; 1 without cross-validation."""
        return self.data.get("folds") or 1

    @property
    def unit(self) -> str:
        """What its models have one score each of: "seed" or "repeat"."""
        return unit_of(folded=self.folded)

    @property
    def exploratory(self) -> bool:
        """Whether it was opened more than planned, not for all that is left, or by other rules."""
        return self.unplanned_openings > 0 or bool(self.changed) or bool(self.changed_rules)

    @property
    def unplanned_openings(self) -> int:
        """How many openings nobody had declared before the first one."""
        return max(0, self.test_openings - self.planned_openings)

    @property
    def to_use(self) -> str | None:
        """The name of the recommended model; None where the headline recommends none."""
        if self.recommended is None or self.headline is None:
            return None
        return self.recommended.model if self.headline.case in ("use", "no winner") else None

    @property
    def within_give_up(self) -> bool | None:
        """Whether the recommended model is shown to lose less than `give_up` to every other.

        None where none is recommended, or there is no other.
        """
        most = self.recommended.loses_at_most if self.recommended and self.to_use else None
        return None if most is None else most < self.give_up

    def model(self, name: str) -> ModelResult:
        """Return the model of that name; KeyError if there is none."""
        for model in self.models:
            if model.name == name:
                return model
        raise KeyError(name)

    def searched(self, name: str) -> Searched | None:
        """Return the search of a model; None where it was not searched."""
        return next((each for each in self.searches if each.model == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints: plain data, every number finite or None."""
        return _document(self)


# ── the JSON document ────────────────────────────────────────────────────────────────────────


def _document(comparison: Comparison) -> dict[str, Any]:
    headline, chosen, look = comparison.headline, comparison.recommended, comparison.look
    return study_document(
        study=comparison.study,
        title=comparison.title,
        data=comparison.data,
        selection=comparison.selection,
        seeds=comparison.seeds,
        margin=comparison.margin,
        give_up=comparison.give_up,
        prefer=comparison.order.prefer,
        test_openings=comparison.test_openings,
        looks=look and {"declared": look.after, "look": look.number},
        openings_elsewhere=comparison.openings_elsewhere,
        exploratory=comparison.exploratory,
        models=[_model(model) for model in comparison.models],
        baselines=[
            {
                "name": baseline.name,
                "parameters": baseline.parameters,
                "accuracy": _interval(baseline.accuracy),
            }
            for baseline in comparison.baselines
        ],
        comparisons=[pair.to_json() for pair in comparison.pairs],
        headline=headline
        and {
            "case": headline.case,
            "model": headline.model,
            "models": headline.models,
            "text": headline.text,
            "reason": headline.reason,
        },
        recommended=chosen
        and {
            "model": comparison.to_use,
            "best": chosen.best,
            "ordered_by": "time" if comparison.order.by_time else "parameters",
            "loses_at_most": chosen.loses_at_most if comparison.to_use else None,
            "loses_to": chosen.loses_to if comparison.to_use else None,
            "bound_level": chosen.level if comparison.to_use else None,
            "within_give_up": comparison.within_give_up,
            "reason": chosen.reason if comparison.to_use or not headline else headline.reason,
        },
        findings=[asdict(finding) for finding in comparison.findings],
        race=comparison.race and comparison.race.to_json(),
        searches=[each.to_json() for each in comparison.searches],
        missing=comparison.missing,
        changed=comparison.changed,
        environment=comparison.environment,
        environments=comparison.environments,
    )


def _model(model: ModelResult) -> dict[str, Any]:
    classes = model.per_class_accuracy
    return model_document(
        name=model.name,
        study=model.study,
        parameters=model.parameters,
        trainable_parameters=model.trainable_parameters,
        seeds=model.seeds,
        epochs=model.epochs,
        selected_epochs=model.selected_epochs,
        diverged=model.diverged,
        failed={
            "seeds": model.failed,
            "rate": len(model.failed) / len(model.seeds),
            "rate_ci": model.failure_rate,
            "accuracy_without": model.sound_accuracy,
        },
        seconds_per_trial=model.seconds_per_trial,
        prediction_seconds=model.prediction_seconds,
        batch_prediction_seconds=model.batch_prediction_seconds,
        group=model.group,
        accuracy=_score(model.accuracy),
        loss=_score(model.loss),
        balanced_accuracy=model.balanced_accuracy.mean,
        balanced_accuracy_ci=_ci(model.balanced_accuracy.estimate),
        macro_f1=model.macro_f1.mean,
        macro_f1_ci=_ci(model.macro_f1.estimate),
        per_class_accuracy=[score and score.mean for score in classes],
        per_class_accuracy_ci=[score and _ci(score.estimate) for score in classes],
    )


def _score(score: Score) -> dict[str, Any]:
    return {**_interval(score.estimate), "per_seed": score.per_seed}


def _interval(estimate: Estimate) -> dict[str, Any]:
    return {"mean": estimate.mean, "ci": _ci(estimate)}


def _ci(estimate: Estimate) -> tuple[float, float] | None:
    return (estimate.low, estimate.high) if estimate.has_interval else None
