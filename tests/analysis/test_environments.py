"""What trials were trained with, and where they differ.

Oracle: by hand. Cost: nothing. Run: pytest tests/analysis/test_environments.py
"""

from types import SimpleNamespace

from bakeoff.analysis.environments import differing, joined, of_trials

OLD = {"jax": "0.10.2", "cores": 2, "kernels": "plain", "node": "a"}
NEW = {"jax": "0.10.3", "cores": 2, "kernels": "plain", "node": "b"}


def test_every_environment_of_every_trial_counts():
    trials = [SimpleNamespace(environments=(OLD,)), SimpleNamespace(environments=(OLD, NEW))]
    study = SimpleNamespace(models={"cnn": trials[:1], "mlp": trials[1:]})
    assert of_trials([study]) == [OLD, OLD, NEW]


def test_values_that_differ_are_joined_and_counted():
    assert joined([OLD, OLD, NEW]) == {"jax": "0.10.2 + 0.10.3", "cores": 2, "kernels": "plain"}
    assert differing([OLD, OLD, NEW]) == {"jax": {"0.10.2": 2, "0.10.3": 1}}


def test_the_same_everywhere_is_no_difference():
    assert differing([OLD, {**OLD, "node": "c"}]) == {}
    assert joined([]) == differing([]) == {}
