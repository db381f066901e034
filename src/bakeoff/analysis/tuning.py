"""What the searches of a study came to: settings, the chosen one, and what may be said of them.

Everything is of validation images, most of it of one network a setting: it describes a search, and
decides nothing about models. docs/tuning.md explains it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.model_scores import validation_correct
from bakeoff.analysis.statistics import mcnemar_exact
from bakeoff.analysis.variance import LEVEL
from bakeoff.recipe import Recipe
from bakeoff.recipe.apply_setting import with_setting
from bakeoff.recipe.dimension import Dimension, short_names
from bakeoff.recipe.search_space import MOST_REPEATS, REPEAT
from bakeoff.recipe.value_kinds import Misfit
from bakeoff.storage.search_folder import Opening, SearchFolder, Tried, best_first, setting_words
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.utils.text import counted

Floats = NDArray[np.float64]

EDGE = 0.05  # of a range: the best of 40 settings lies so near an end by chance in one of ten
FEWEST_FOR_CURVE = 5  # settings drawn at random, below which a band says nothing
FEWEST_FOR_IMPORTANCE = 10
_RESAMPLES = 40


@dataclass(frozen=True)
class TuningCurve:
    """The best validation accuracy of n settings drawn at random: median, and a band for it.

    settings : how many were drawn; the band, of 95 % for all n together, is by Dvoretzky, Kiefer
        and Wolfowitz's inequality (Lourie, Cho and He 2024)
    """

    settings: int
    median: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Importance:
    """The importance of one choice: its share, in [0, 1], in what makes settings good.

    By PED-ANOVA (Watanabe, Bansal and Hutter 2023); `low` and `high` hold the middle 90 % of the
    values for settings drawn again with replacement.
    """

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Edge:
    """The chosen value of a range that lies at its end, where a better one may lie beyond it.

    exact : whether it is the end itself, and not only in the EDGE of the range that is next to it
    """

    name: str
    value: str
    end: str  # "lowest" or "highest"
    range: str
    exact: bool

    @property
    def words(self) -> str:
        """Where it lies: "units 63, in the highest 5 % of 8 to 64"."""
        where = f"the {self.end}" if self.exact else f"in the {self.end} {100 * EDGE:.0f} %"
        return f"{self.name} {self.value}, {where} of {self.range}"


@dataclass(frozen=True, eq=False, repr=False)
class Searched:
    """The search of one model.

    `fresh` are the validation accuracies of the chosen setting's own seeds, () before they are
    trained; `as_good` is how many other settings' predictions are not told from the chosen one's
    (exact McNemar test, p ≥ 0.05), None where predictions are gone. `curve` and `importance` are
    None where they cannot be computed, and `lacking` then names the library that is missing, if
    that is why. `opening` says which settings of `tpe` were drawn.
    """

    model: str
    dimensions: tuple[Dimension, ...]
    budget: Mapping[str, Any]
    tried: tuple[Tried, ...]
    chosen: Tried | None
    seconds: float
    as_good: int | None
    edges: tuple[Edge, ...]
    curve: TuningCurve | None = None
    importance: tuple[Importance, ...] | None = None
    lacking: str = ""
    fresh: tuple[float, ...] = ()
    opening: Opening = field(default_factory=Opening)

    def __repr__(self) -> str:
        return f"<Searched {self.model}: {counted(len(self.tried), 'setting')}>"

    @property
    def best(self) -> list[Tried]:
        """The settings that may be chosen, the best one first."""
        return best_first(list(self.tried))

    @property
    def names(self) -> dict[str, str]:
        """The choices' short names, by place."""
        return short_names(self.dimensions)

    @property
    def flatters(self) -> float | None:
        """By how much the chosen setting's score in the search exceeds the mean of its seeds."""
        if self.chosen is None or self.chosen.accuracy is None or not self.fresh:
            return None
        return self.chosen.accuracy - float(np.mean(self.fresh))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, for `--json`."""
        curve = self.curve
        return {
            "model": self.model,
            "budget": dict(self.budget),
            "tried": len(self.tried),
            "seconds": self.seconds,
            "chosen": self.chosen and self._setting(self.chosen),
            "best": [self._setting(each) for each in self.best[:5]],
            "not_told_from_chosen": self.as_good,
            "edges": [vars(edge) for edge in self.edges],
            "importance": self.importance and [vars(each) for each in self.importance],
            "tuning_curve": curve and vars(curve),
            "fresh_validation_accuracy": list(self.fresh),
            "flatters": self.flatters,
        }

    def _setting(self, tried: Tried) -> dict[str, Any]:
        return {
            "setting": tried.number,
            "values": self.words(tried),
            "accuracy": tried.accuracy,
            "cross_entropy": tried.cross_entropy,
            "epochs": tried.epochs,
            "seconds": tried.seconds,
        }

    def words(self, tried: Tried) -> dict[str, str]:
        """Return a setting as a reader sees it, by the choices' short names."""
        return setting_words(self.dimensions, tried.values)


def read_searches(folder: StudyFolder, recipe: Recipe) -> tuple[Searched, ...]:
    """Return the searches of a study that were begun, in the order of its models."""
    found = []
    for name, model in recipe.models.items():
        search = SearchFolder(folder.path, name)
        if model.search is not None and search.exists():
            found.append(_read(folder, search, recipe))
    return tuple(found)


def analysed(searched: Searched) -> Searched:
    """Add what needs the libraries of the extra `tune`: the curve with its band, and importance."""
    try:
        curve = _curve(searched)
        importance = _importance(searched)
    except ImportError as error:
        return replace(searched, lacking=str(error.name))
    return replace(searched, curve=curve, importance=importance)


def unequal_budgets(searches: Sequence[Searched], others: Iterable[str]) -> str:
    """Say how the models' budgets differ; "" where all are the same.

    others : models that were not searched
    """
    said = [f"{each.model}: {budget_words(each)}" for each in searches]
    left = list(others)
    alike = len({_comparable(each) for each in searches}) < 2
    if alike and not left:
        return ""
    return "; ".join([*said, *(f"{name}: none, as declared" for name in left)])


def budget_words(searched: Searched, how: str = "") -> str:
    """Return a search's budget in a few words: "40 settings (tpe)"; `how` follows "settings"."""
    minutes = searched.budget.get("minutes")
    more = f", {minutes:g} minute{'s' if minutes != 1 else ''}" if minutes else ""
    pruned = ", median pruning" if searched.budget.get("pruning") == "median" else ""
    different = len({tuple(each.values.items()) for each in searched.tried})
    again = f", {different} of them different" if different < len(searched.tried) else ""
    about = f"{searched.budget['sampler']}{again}{pruned}{more}"
    return f"{counted(len(searched.tried), 'setting')}{how} ({about})"


def _comparable(searched: Searched) -> tuple[Any, ...]:
    budget = searched.budget
    return (len(searched.tried), *(budget.get(key) for key in ("sampler", "minutes", "pruning")))


def _read(folder: StudyFolder, search: SearchFolder, recipe: Recipe) -> Searched:
    declared = recipe.models[search.model].search
    if declared is None:
        raise ValueError(f"{search.model} leaves no choice open")
    dims = declared.dimensions
    tried = tuple(search.tried(dims))
    document = search.chosen()
    chosen = next((t for t in tried if document and t.number == document["setting"]), None)
    return Searched(
        model=search.model,
        dimensions=dims,
        budget=declared.budget(),
        tried=tried,
        chosen=chosen,
        seconds=fsum(each.seconds or 0.0 for each in tried),
        as_good=None if chosen is None else _as_good(folder, search, tried, chosen),
        edges=() if chosen is None else tuple(_edges(dims, chosen, recipe, search.model)),
        opening=search.opening(),
    )


def _as_good(
    folder: StudyFolder, search: SearchFolder, tried: Sequence[Tried], chosen: Tried
) -> int | None:
    """Count the other settings whose predictions are not told from the chosen one's.

    None where the trial of a setting that counts was cleared away.
    """
    usable = [each for each in tried if each.usable]
    if not all(search.trial(each.number).exists() for each in usable):
        return None
    labels = read_split(folder)["validation_labels"]
    n_classes = len(folder.read_study()["data"]["class_names"])

    def correct(setting: Tried) -> NDArray[np.bool_]:
        search.read_trial(setting.number)  # or it is another's
        return validation_correct(search.trial(setting.number), labels, n_classes)

    best = correct(chosen)
    others = [each for each in usable if each.number != chosen.number]
    return sum(mcnemar_exact(best, correct(each)).p >= 0.05 for each in others)


def _edges(dims: Sequence[Dimension], chosen: Tried, recipe: Recipe, model: str) -> Iterable[Edge]:
    """Yield where the chosen setting lies at an end of a range that could be wider there."""
    names = short_names(dims)
    for dim in dims:
        if dim.kind == "choice" or dim.place not in chosen.values:
            continue
        value = chosen.values[dim.place]
        share = dim.share(value)
        few = dim.kind == "whole" and (dim.count or 0) < 1 / EDGE
        low, high = (share == 0, share == 1) if few else (share < EDGE, share > 1 - EDGE)
        if (low or high) and _may_be(_beyond(dim, low=low), dim, chosen, recipe, model):
            end = "lowest" if low else "highest"
            exact = share in (0, 1)
            yield Edge(names[dim.place], dim.words(value), end, dim.range_words, exact)


def _beyond(dim: Dimension, *, low: bool) -> float | int:
    """Return a value a little beyond an end of a range."""
    if dim.is_whole:
        return int(dim.low) - 1 if low else int(dim.high) + 1
    if dim.kind == "log":
        wider = float((dim.high / dim.low) ** EDGE)
        return dim.low / wider if low else dim.high * wider
    wider = EDGE * (dim.high - dim.low)
    return dim.low - wider if low else dim.high + wider


def _may_be(value: float | int, dim: Dimension, chosen: Tried, recipe: Recipe, model: str) -> bool:
    """Say whether a recipe may have this value there: no dropout lies below 0."""
    if dim.place.endswith(f".{REPEAT}"):
        return 0 <= value <= MOST_REPEATS
    try:
        with_setting(recipe, model, {**chosen.values, dim.place: value})
    except Misfit:
        return False
    return True


def _drawn(searched: Searched) -> list[Tried]:
    """Return the settings that were drawn independently of what came before them."""
    sampler = searched.budget["sampler"]
    if sampler == "grid":
        return []
    scored = [each for each in searched.tried if each.accuracy is not None]
    return [each for each in scored if sampler != "tpe" or searched.opening.draws(each.number)]


def _curve(searched: Searched) -> TuningCurve | None:
    from opda.nonparametric import EmpiricalDistribution

    scores = [each.accuracy for each in _drawn(searched)]
    if len(scores) < FEWEST_FOR_CURVE:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ties among scores
        below, middle, above = EmpiricalDistribution.confidence_bands(
            np.array(scores, np.float64), LEVEL, a=0.0, b=1.0, method="dkw"
        )
        counts = np.arange(1, len(scores) + 1)
        # The lower band of the distribution is the upper one of its maximum.
        median, low, high = (
            np.asarray(each.quantile_tuning_curve(counts), np.float64)
            for each in (middle, above, below)
        )
    return TuningCurve(
        len(scores),
        *(tuple(float(v) for v in each) for each in (median, low, high)),
    )


def _importance(searched: Searched) -> tuple[Importance, ...] | None:
    """Return the choices that every setting makes, the most important one first."""
    import optuna

    scored = [each for each in searched.tried if each.accuracy is not None]
    dims = [d for d in searched.dimensions if not d.when]
    if len(scored) < FEWEST_FOR_IMPORTANCE or len(dims) < 2:
        return None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rng = np.random.default_rng(0)
    everything = _ped_anova(dims, scored)
    again = [
        _ped_anova(dims, [scored[k] for k in rng.integers(0, len(scored), len(scored))])
        for _ in range(_RESAMPLES)
    ]
    found = []
    for dim in dims:
        low, high = np.quantile([each.get(dim.place, 0.0) for each in again], (0.05, 0.95))
        value = everything.get(dim.place, 0.0)
        name = searched.names[dim.place]
        found.append(Importance(name, value, float(min(low, value)), float(max(high, value))))
    return tuple(sorted(found, key=lambda each: -each.value))


def _ped_anova(dims: Sequence[Dimension], tried: Sequence[Tried]) -> dict[str, float]:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    study = optuna.create_study(direction="maximize")
    kinds = {each.place: distribution(each) for each in dims}
    for each in tried:
        values = {dim.place: each.values[dim.place] for dim in dims}
        study.add_trial(
            optuna.trial.create_trial(params=values, distributions=kinds, value=each.accuracy)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of choices that never vary among these
        try:
            found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
        except (RuntimeError, ValueError):  # all settings scored the same
            return {}
    return {place: float(value) for place, value in found.items() if np.isfinite(value)}


def distribution(dim: Dimension) -> Any:
    """Return a choice as Optuna knows it."""
    from optuna import distributions as kinds

    if dim.kind == "choice":
        return kinds.CategoricalDistribution(list(range(len(dim.options))))
    if dim.kind == "whole":
        return kinds.IntDistribution(int(dim.low), int(dim.high))
    return kinds.FloatDistribution(dim.low, dim.high, log=dim.kind == "log")
