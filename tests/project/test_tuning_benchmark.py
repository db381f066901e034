"""The benchmark of tuning, without tuning: its recipes, what it takes from curves, its page.

The oracle is arithmetic on curves written down by hand. Cost: 1 s. Run:

    .venv/bin/pytest tests/project/test_tuning_benchmark.py
"""

import json

import pytest

from benchmarks import machine, searching, tuning
from benchmarks.journal import Journal


def test_all_draw_from_the_same_choices():
    for workload, choices in tuning.CHOICES.items():
        search = tuning.Search(workload, "digits", 5, 2, 0)
        model = search.recipe.models[workload]
        found = [each.range_words for each in model.search.dimensions]
        assert len(found) == len(choices)
        for form in choices.values():
            (kind, values), *_ = form.items()
            if kind == "choice":
                assert ", ".join(map(str, values)) in found
        assert (model.search.settings, model.search.pruning) == (5, "median")


def test_what_is_taken_from_curves():
    points = [(1.0, 0.8), (2.0, 0.95), (3.0, 0.9), (4.0, 0.97)]
    assert [tuning.best_by(points, at) for at in (0.5, 1, 3.5, 9)] == [None, 0.8, 0.95, 0.97]
    curves = [points, [(2.0, 0.9)], [(3.0, 0.96)]]
    assert [tuning.median_by(curves, at) for at in (0.5, 1, 2, 3)] == [None, None, 0.9, 0.95]


def test_a_search_writes_its_epochs_from_the_start_of_its_process(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(searching.time, "time", lambda: now[0])
    clock = searching.Clock(98.0, minutes=0.05)
    clock.epoch(0.5)
    now[0] = 101.5
    with pytest.raises(searching.OutOfTime):
        clock.epoch(0.75)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"seconds": 2.0, "accuracy": 0.5}, {"seconds": 3.5, "accuracy": 0.75}]


def test_the_page_says_who_reached_what_when(tmp_path):
    journal = Journal(tmp_path / "tuning.jsonl", identity="here")
    assert tuning.page(journal) == "nothing is measured yet"
    curves = {
        "bakeoff": [(10.0, 0.90), (20.0, 0.97), (40.0, 0.98)],
        "hyperband": [(8.0, 0.92), (40.0, 0.97)],
        "optuna": [(20.0, 0.90), (44.0, 0.98)],
    }
    for seed in (0, 1, 2):
        where = {**vars(tuning.Search("cnn", "mnist", 40, 4, seed)), "backend": "jax"}
        where["searching"] = machine.searching()
        for name, points in curves.items():
            if (name, seed) != ("optuna", 2):  # so seed 2 is not shown
                journal.append("searched", contestant=name, points=points, **where)
        for other in ({"searching": "other"}, {"data": "digits"}):
            changed = {**where, **other}
            journal.append("searched", contestant="bakeoff", points=[(1.0, 0.99)], **changed)
    common = {"headline": "Use model-8.", "best": "model-8", "study": "s"}
    journal.append(
        "race",
        kind_of="race",
        trials={"model-8": 10, "model-1": 3},
        seconds={"model-8": 6.0, "model-1": 4.0},
        dropped={"model-1": 3},
        **common,
    )
    journal.append(
        "race",
        kind_of="whole",
        trials={"model-8": 10, "model-1": 10},
        seconds={"model-8": 60.0, "model-1": 40.0},  # of a busier machine: they do not count
        dropped={},
        **common,
    )
    assert tuning.page(journal).splitlines() == [
        "cnn on mnist, 40 settings of at most 4 epochs; Keras on jax; the median of seeds 0, 1:",
        "",
        "| best validation accuracy | after 4.0 s | after 10 s | after 20 s | after 40 s "
        "| first epoch after | epochs a minute |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| Bakeoff (tpe, median pruning) | – | 90.00 % | 97.00 % | 98.00 % | 10 s | 4 |",
        "| KerasTuner's Hyperband | – | 92.00 % | 92.00 % | 97.00 % | 8.0 s | 3 |",
        "| Optuna and a plain Keras fit | – | – | 90.00 % | 90.00 % | 20 s | 3 |",
        "",
        "KerasTuner's Hyperband was ahead of Bakeoff at 1 of 3 moments, last after 10 s, by at "
        "most 2.00 points; its best, 97.00 %, it had after 40 s, Bakeoff after 20 s, 2.0 times as "
        "soon. Optuna and a plain Keras fit was ahead of Bakeoff at 0 of 2 moments; its best, "
        "90.00 %, it had after 20 s, Bakeoff after 10 s, 2.0 times as soon.",
        "",
        "s: 13 of 20 trials, 28 % of the training time saved; dropped model-1 (3 seeds); the same "
        "model first (model-8), headline with the race: Use model-8.; without: Use model-8.",
    ]
