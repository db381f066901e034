"""Which setting a search tries next: a function of what the journal holds, so that it can go on.

Settings of `random`, `grid` and `qmc` depend on their number alone, so they are the same whatever
the workers do; `tpe` begins with the middle and points near it. Then come Optuna's, which learns
from what was tried once there are ten results, and among them some that are drawn at random.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from bakeoff.analysis.tuning import distribution
from bakeoff.errors import StudyError
from bakeoff.recipe.dimension import Dimension, Setting, largest, middle, quicker, taken
from bakeoff.recipe.types import Search
from bakeoff.storage.search_folder import Opening, Tried
from bakeoff.utils.user_paths import to_install

_MOST_LEVELS = 10  # of a range, in a grid
_FEWEST_KNOWN = 2  # results with which Optuna is asked; it draws at random, too, until it has ten
_PLAIN = Opening()


def _unknown(setting: Setting) -> int:
    return 0


def propose(
    search: Search,
    tried: Sequence[Tried],
    *,
    opening: Opening = _PLAIN,
    size: Callable[[Setting], int] = _unknown,
) -> Setting | None:
    """Return the next setting; None where a grid has no more.

    tried : all settings so far, in the order in which they were asked for
    opening : of `tpe`, how the search begins
    size : the parameters of a setting's network; 0 where it makes none or nobody knows
    """
    dims, number = search.dimensions, len(tried)
    if search.sampler == "grid":
        grid = _grid(dims, search.settings, search.seed)
        return grid[number] if number < len(grid) else None
    if search.sampler == "qmc":
        return _kept(dims, _sobol(len(dims), number, search.seed))
    if search.sampler == "tpe":
        probe = _probe(dims, number, size) if number < opening.probes else None
        if probe is not None:
            return probe
        known = sum(each.accuracy is not None for each in tried)
        if not opening.draws(number) and (known >= _FEWEST_KNOWN or opening.every == 1):
            return _tpe(dims, tried, seed=[search.seed, number])
    return _kept(dims, np.random.default_rng([search.seed, number]).random(len(dims)))


def limit(search: Search) -> int:
    """Return how many settings are tried at most: a grid may hold fewer than are allowed."""
    if search.sampler != "grid":
        return search.settings
    return len(_grid(search.dimensions, search.settings, search.seed))


def _probe(
    dims: Sequence[Dimension], number: int, size: Callable[[Setting], int]
) -> Setting | None:
    """Return the setting at the front of a search; None where it repeats one before it."""

    def model(setting: Setting) -> int:
        return size(_made(dims, setting))

    probes: list[Setting] = [_made(dims, middle(dims))]
    if number > 0:
        probes.append(_made(dims, quicker(dims)))
    if number > 1:
        probes.append(_made(dims, largest(dims, model)))
    return None if probes[number] in probes[:number] else probes[number]


def require(search: Search) -> None:
    """Raise StudyError where the library that a sampler needs is missing."""
    if search.sampler != "tpe":
        return
    if find_spec("optuna") is None:  # importing it can wait until it is asked
        raise StudyError(
            "search: expected Optuna for sampler: tpe, found none: "
            f"{to_install('tune')}, or write sampler: random"
        )


def _kept(dims: Sequence[Dimension], shares: Sequence[float] | Any) -> Setting:
    """Return the setting at these shares of the ranges."""
    return _made(dims, {d.place: d.at(float(s)) for d, s in zip(dims, shares, strict=True)})


def _made(dims: Sequence[Dimension], values: Setting) -> Setting:
    """Leave out the values of choices that play no part in a setting."""
    return {each.place: values[each.place] for each in taken(tuple(dims), values)}


def _sobol(dims: int, number: int, seed: int) -> Any:
    from scipy.stats import qmc  # which the small commands do without

    sampler = qmc.Sobol(d=dims, scramble=True, rng=np.random.default_rng(seed))
    if number:
        sampler.fast_forward(number)
    return sampler.random(1)[0]


def _grid(dims: Sequence[Dimension], most: int, seed: int) -> list[Setting]:
    """Return at most so many settings of a grid, in an order that the seed shuffles.

    Choices have all their options, whole numbers all their values where they are few, other ranges
    as many levels, at least 2, as `most` settings allow.
    """
    levels = 2
    while levels < _MOST_LEVELS and math.prod(_levels(d, levels + 1) for d in dims) <= most:
        levels += 1
    sizes = [_levels(each, levels) for each in dims]
    total = math.prod(sizes)
    if total <= sys.maxsize:
        order = random.Random(seed).sample(range(total), min(total, 20 * most))
    else:  # hardly any is drawn twice, and twice is once below
        drawing = random.Random(seed)
        order = [drawing.randrange(total) for _ in range(20 * most)]
    found: dict[tuple[Any, ...], Setting] = {}
    for index in order:
        shares = []
        for each, size in zip(dims, sizes, strict=True):
            index, at = divmod(index, size)
            exact = each.count is not None and size == each.count
            shares.append((at + 0.5) / size if exact else at / (size - 1))
        setting = _kept(dims, shares)
        found.setdefault(tuple(setting.items()), setting)
        if len(found) == most:
            break
    return list(found.values())


def _levels(dim: Dimension, levels: int) -> int:
    if dim.kind == "choice" or (dim.count is not None and dim.count <= _MOST_LEVELS):
        return dim.count or 1
    return levels


def _tpe(dims: Sequence[Dimension], tried: Sequence[Tried], *, seed: Sequence[int]) -> Setting:
    """Ask Optuna, told of everything that was tried; settings still in work count as running."""
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    number = int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(seed=number)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    spread = {each.place: distribution(each) for each in dims}
    for each in tried:
        state = TrialState.RUNNING if each.state is None else TrialState.COMPLETE
        if each.state is not None and each.accuracy is None:
            state = TrialState.FAIL
        study.add_trial(
            create_trial(
                state=state,
                value=each.accuracy if state is TrialState.COMPLETE else None,
                params=dict(each.values),
                distributions={place: spread[place] for place in each.values},
            )
        )
    trial = study.ask()
    values: dict[str, float | int] = {}
    for dim in dims:
        if dim in taken((dim,), values):
            values[dim.place] = _suggested(trial, dim)
    return values


def _suggested(trial: Any, dim: Dimension) -> float | int:
    if dim.kind == "choice":
        return int(trial.suggest_categorical(dim.place, list(range(len(dim.options)))))
    if dim.kind == "whole":
        return int(trial.suggest_int(dim.place, int(dim.low), int(dim.high)))
    value = trial.suggest_float(dim.place, dim.low, dim.high, log=dim.kind == "log")
    return dim.rounded(value)
