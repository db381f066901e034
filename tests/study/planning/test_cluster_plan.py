"""What a cluster offers a study.

Oracle: a cluster that is made up. Cost: 1 s.

Run: pytest tests/study/planning/test_cluster_plan.py
"""

import re

from bakeoff.study.executors.ray_places import Node, Place
from bakeoff.study.planning import plan as plans
from bakeoff.study.planning.cluster_plan import ClusterPlan
from bakeoff.study.planning.plan_view import view
from tests.helpers.plans import recipe_of


def test_a_cluster_is_told_with_its_trials_its_nodes_and_its_time(capsys, monkeypatch):
    one, two = Node("1", "one", 2, 0), Node("2", "gpu", 8, 1)
    found = ClusterPlan(
        "--on ray", (Place(two, 1, "gpu"), Place(one, 2, "cpu")), ("Xeon", "EPYC"), 5e10
    )
    monkeypatch.setattr(plans, "cluster_plan", lambda on: found)
    planned = plans.plan(recipe_of(), on="ray")
    lines = view(planned)[-3:]
    assert lines[0] == (
        "6 trials on 2 nodes, 2 trials at a time, on 1 GPU the seeds of a model together: gpu GPU "
        "(1) and one (2); Xeon and EPYC."
    )
    assert re.fullmatch(
        r"About \S+ s\. Rough: from a matrix product that did 50 billion operations a second on "
        r"one core of a node just now\.",
        lines[1],
    )
    assert lines[2] == "The time is for the CPUs; GPUs take their share, and are faster."
    estimate = plans.to_json(planned)["estimate"]
    assert (estimate["on"], estimate["gpus"], estimate["workers"]) == ("--on ray", 1, 2)
    assert estimate["nodes"][1] == {"name": "one", "size": 2, "device": "cpu"}


def test_a_cluster_of_gpus_alone_gets_no_time(monkeypatch):
    places = (Place(Node("2", "gpu", 8, 1), 1, "gpu"),)
    found = ClusterPlan("--on ray", places, ("EPYC",), None)
    monkeypatch.setattr(plans, "cluster_plan", lambda on: found)
    planned = plans.plan(recipe_of(), on="ray")
    assert (planned.seconds, planned.memory) == (None, None)
    assert view(planned)[-2:] == [
        "6 trials on 1 node, on 1 GPU the seeds of a model together: gpu GPU (1); EPYC.",
        "No estimate of time: there is one for CPUs, and only GPUs train here.",
    ]


def test_a_cluster_trains_the_settings_of_searches_too(monkeypatch):
    """It said 3 trials, and the time of them and of 8 settings."""
    place = Place(Node("1", "one", 2, 0), 2, "cpu")
    found = ClusterPlan("--on ray", (place,), ("Xeon",), 5e10)
    monkeypatch.setattr(plans, "cluster_plan", lambda on: found)
    models = {"m": {"layers": [{"dense": {"units": {"whole": [2, 60]}}}]}, "line": {"layers": []}}
    planned = plans.plan(recipe_of(models, search={"settings": 8, "sampler": "random"}), on="ray")
    assert view(planned)[-2].startswith("8 settings of searches, then 6 trials, on 1 node")
