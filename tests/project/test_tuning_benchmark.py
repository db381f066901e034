"""The benchmark of tuning, without tuning: its recipes, what it takes from curves, its page.

The oracle is arithmetic on curves written down by hand. Cost: 1 s. Run:

    .venv/bin/pytest tests/project/test_tuning_benchmark.py
"""

from benchmarks import tuning
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


def test_what_is_taken_from_a_curve():
    points = [(1.0, 0.8), (2.0, 0.95), (3.0, 0.9), (4.0, 0.97)]
    assert [tuning.best_by(points, at) for at in (0.5, 1, 3.5, 9)] == [None, 0.8, 0.95, 0.97]
    assert tuning.time_to(points, 0.9) == 2.0
    assert tuning.time_to(points, 0.99) is None


def test_the_page_says_who_reached_what_when(tmp_path):
    journal = Journal(tmp_path / "tuning.jsonl", identity="here")
    assert tuning.page(journal) == "nothing is measured yet"
    where = {**vars(tuning.Search("cnn", "mnist", 40, 6, 0)), "backend": "jax"}
    curves = {
        "bakeoff": [(10.0, 0.90), (40.0, 0.98)],
        "hyperband": [(20.0, 0.95), (88.0, 0.97)],
        "optuna": [(30.0, 0.90), (80.0, 0.98)],
    }
    for name, points in curves.items():
        journal.append("search", contestant=name, points=points, **where)
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
    lines = tuning.page(journal).splitlines()
    rows = [
        "| Bakeoff (tpe, median pruning) | 90.00 % | 90.00 % | 98.00 % | 98.00 % | 98.00 %, 40 s "
        "| 40 s | 3 |",
        "| KerasTuner's Hyperband | – | 95.00 % | 95.00 % | 95.00 % | 97.00 %, 88 s | 40 s | 1 |",
        "| Optuna and a plain Keras fit | – | – | 90.00 % | 98.00 % | 98.00 %, 80 s | 40 s | 2 |",
    ]
    assert [line for line in lines if line in rows] == rows
    assert lines[-1] == (
        "s: 13 of 20 trials, 28 % of the training time saved; dropped model-1 (3 seeds); the same "
        "model first (model-8), headline with the race: Use model-8.; without: Use model-8."
    )
