"""What each sampler proposes, without training anything.

The oracle: settings of random, grid and qmc are functions of their number; a grid's are all its
combinations; Optuna's follow from what the journal holds. Cost: 2 s. Run:

    .venv/bin/pytest tests/study/tuning/test_samplers.py
"""

import itertools
import sys

import pytest

from bakeoff.errors import StudyError
from bakeoff.recipe.dimension import taken
from bakeoff.recipe.types import Search
from bakeoff.storage.search_folder import STARTUP, Opening, Tried
from bakeoff.study.tuning.samplers import limit, propose, require

SPACE = {
    "training": {
        "optimizer": {
            "choice": [
                {"adam": {"learning_rate": {"log": [0.001, 0.1]}}},
                {"sgd": {"momentum": {"uniform": [0, 0.9]}}},
            ]
        }
    },
    "layers": [{"dense": {"units": {"whole": [1, 3]}}}],
}
UNITS, WHICH = "layers[1].dense.units", "training.optimizer"
RATE = f"{WHICH}.choice[1].adam.learning_rate"


def _search(sampler, settings=40, **more):
    return Search(space=SPACE, sampler=sampler, settings=settings, **more)


def _settings(search, count, *, accuracy=lambda values: 0.5, **rules):
    tried = []
    for number in range(count):
        values = propose(search, tried, **rules)
        if values is None:
            break
        tried.append(Tried(number, values, state="done", accuracy=accuracy(values)))
    return [dict(each.values) for each in tried]


@pytest.mark.parametrize("sampler", ["random", "grid", "qmc"])
def test_settings_depend_on_their_number_alone(sampler):
    search = _search(sampler)
    serial = _settings(search, 12)
    unknown = [Tried(number, {}) for number in range(12)]  # nobody knows yet what came of them
    assert [dict(propose(search, unknown[:k])) for k in range(12)] == serial
    assert _settings(_search(sampler, seed=1), 12) != serial
    dims = search.dimensions
    for setting in serial:
        assert [each.place for each in taken(dims, setting)] == list(setting)
        assert all(dim.low <= setting[dim.place] <= dim.high for dim in dims
                   if dim.kind != "choice" and dim.place in setting)  # fmt: skip


def test_a_grid_holds_every_combination_once_and_ends():
    found = _settings(_search("grid", settings=40), 1000)
    rates = sorted({setting[RATE] for setting in found if RATE in setting})
    momenta = {s[f"{WHICH}.choice[2].sgd.momentum"] for s in found if RATE not in s}
    assert (rates[0], rates[-1]) == (0.001, 0.1) and len(rates) == len(momenta) == 2
    wanted = {(0, units, rate) for units, rate in itertools.product((1, 2, 3), rates)}
    wanted |= {(1, units, m) for units, m in itertools.product((1, 2, 3), momenta)}
    assert {(s[WHICH], s[UNITS], list(s.values())[1]) for s in found} == wanted
    assert len(found) == len(wanted) == limit(_search("grid", settings=40)) == 12
    assert _settings(_search("grid", settings=5), 1000) == found[:5]
    assert limit(_search("grid", settings=5)) == 5
    assert limit(_search("random", settings=40)) == 40


def test_a_grid_of_more_combinations_than_can_be_numbered():
    space = {"layers": [{"dense": {"choice": [4, 5, 6]}}] * 42}
    found = _settings(Search(space=space, sampler="grid", settings=5), 1000)
    assert len({tuple(setting.values()) for setting in found}) == 5
    assert all(len(setting) == 42 for setting in found)


def test_qmc_fills_the_space_more_evenly_than_chance():
    units = [setting[UNITS] for setting in _settings(_search("qmc"), 33)]
    assert [units.count(k) for k in (1, 2, 3)] == pytest.approx([11, 11, 11], abs=1)


def test_tpe_begins_near_the_middle_and_then_draws_every_third_setting_at_random():
    search, rules = _search("tpe"), {"opening": Opening(3, every=3)}

    def size(values):
        return int(values[UNITS])

    found = _settings(search, 36, size=size, **rules)
    middle = {WHICH: 0, RATE: 0.01, UNITS: 2}
    assert found[:3] == [middle, {**middle, RATE: 0.0316228}, {**middle, UNITS: 3}]
    at_random = _settings(_search("random"), 36)
    same = [number for number in range(36) if found[number] == at_random[number]]
    assert same == [*range(3, 33, 3)]
    unknown = [Tried(number, each) for number, each in enumerate(found[:4])]
    assert propose(search, unknown, size=size, **rules) == at_random[4]  # nothing to learn from
    assert _settings(search, 3, **rules)[2] not in found[:3]  # nobody knows what is larger


def test_what_tpe_proposes_follows_from_results_once_there_are_ten():
    search, rules = _search("tpe"), {"opening": Opening(3, every=3)}
    found = _settings(search, 12, **rules)

    def proposed(count, scores):
        tried = [Tried(k, found[k], state="done", accuracy=scores(k)) for k in range(count)]
        return propose(search, tried, **rules)

    for count, learns in ((4, False), (8, False), (10, True), (11, True)):
        up, down = proposed(count, lambda k: k / 20), proposed(count, lambda k: 1 - k / 20)
        assert (up != down) is learns


def test_tpe_of_before_begins_in_the_middle_and_goes_on_like_random():
    search = _search("tpe")
    first, *others = _settings(search, STARTUP + 1, opening=Opening(1))
    assert first == {WHICH: 0, RATE: 0.01, UNITS: 2}
    assert others == _settings(_search("random"), STARTUP + 1)[1:]
    for sampler in ("random", "qmc", "grid"):
        assert propose(_search(sampler), []) != first


def test_tpe_of_long_before_begins_like_random_and_then_learns_the_same_from_the_same_journal():
    search = _search("tpe")

    def accuracy(values):
        return 0.9 if values[WHICH] == 0 and values[UNITS] == 3 else 0.5

    found = _settings(search, 24, accuracy=accuracy)
    assert found[:STARTUP] == _settings(_search("random"), STARTUP)
    assert found == _settings(search, 24, accuracy=accuracy)
    later = found[STARTUP:]
    assert sum(s[WHICH] == 0 and s[UNITS] == 3 for s in later) > len(later) / 2
    tried = [Tried(k, s, state="done", accuracy=accuracy(s)) for k, s in enumerate(found[:15])]
    running = [*tried, Tried(15, found[15])]  # its result is not known yet
    assert dict(propose(search, running)) != {}
    best, other = {**found[15], WHICH: 0, UNITS: 3}, {**found[15], WHICH: 0, UNITS: 1}
    lost = [
        propose(search, [*tried, *(Tried(15 + k, each, state="lost") for k in range(8))])
        for each in (best, other)
    ]
    assert lost[0] == lost[1]  # a setting without a result teaches nothing


def test_without_optuna_one_line_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    require(_search("random"))
    with pytest.raises(StudyError) as refused:
        require(_search("tpe"))
    assert str(refused.value) == (
        "search: expected Optuna for sampler: tpe, found none: pip install 'bakeoff[tune]', or "
        "write sampler: random"
    )
