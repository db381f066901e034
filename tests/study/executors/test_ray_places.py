"""Where trials may run on a cluster: hand arithmetic on small clusters.

Cost: nothing. Run: pytest tests/study/executors/test_ray_places.py
"""

from bakeoff.study.executors import ray_places
from bakeoff.study.executors.ray_places import Node, Place, places

CPU, BIG, GPU = Node("k1", "one", 2, 0), Node("k2", "two", 16, 0), Node("k3", "gpu", 8, 2)


def row(key, host, *, alive=True, **resources):
    return {
        "NodeID": key,
        "Alive": alive,
        "NodeManagerHostname": host,
        "NodeManagerAddress": "10.0.0.1",
        "Resources": {"memory": 1e9, **resources},
    }


def test_nodes_get_names_that_no_two_share_and_keep_them():
    table = [
        row("a", "box", CPU=2.0),
        row("b", "box", CPU=4.0, GPU=1.0),
        row("c", "box", alive=False),
        row("d", ""),
    ]
    found = ray_places.nodes(table, known={})
    assert found == [Node("a", "box", 2, 0), Node("b", "box-2", 4, 1), Node("d", "10.0.0.1", 0, 0)]
    later = ray_places.nodes(table[1:], known={node.key: node for node in found})
    assert [node.name for node in later] == ["box-2", "10.0.0.1"]


def test_a_free_cluster_is_taken_node_by_node_and_gpus_one_by_one():
    found = places([CPU, BIG, GPU], free=None, workers=None, device=None)
    assert found == [
        Place(GPU, 1, "gpu"),
        Place(GPU, 1, "gpu"),
        Place(CPU, 2, "cpu"),
        Place(BIG, 16, "cpu"),
    ]
    assert ray_places.in_words(found) == (
        "3 nodes, 18 trials at a time, on 2 GPUs the seeds of a model together: gpu GPU (2), one "
        "(2) and two (16)"
    )


def test_where_others_work_single_cpus_are_taken_wherever_they_are():
    found = places([CPU, BIG], free=3, workers=None, device=None)
    assert found == [Place(None, 1, "cpu")] * 3
    assert ray_places.in_words(found) == "3 trials at a time: anywhere (3)"
    assert places([CPU, BIG], free=0, workers=None, device=None) == []


def test_a_device_and_a_number_of_workers_are_kept_to():
    assert places([CPU, GPU], free=None, workers=None, device="gpu") == [Place(GPU, 1, "gpu")] * 2
    assert places([CPU, GPU], free=None, workers=None, device="cpu") == [
        Place(CPU, 2, "cpu"),
        Place(GPU, 8, "cpu"),
    ]
    assert places([CPU, BIG], free=None, workers=5, device=None) == [
        Place(CPU, 2, "cpu"),
        Place(BIG, 3, "cpu"),
    ]
    assert places([CPU, BIG], free=None, workers=1, device=None) == [Place(CPU, 1, "cpu")]


def test_a_head_without_cpus_gets_nothing():
    assert places([Node("h", "head", 0, 0)], free=None, workers=None, device=None) == []


def test_many_nodes_are_counted_and_a_few_named():
    many = [Place(Node(str(n), f"n{n}", 4, 0), 4, "cpu") for n in range(1000)]
    assert ray_places.in_words(many) == (
        "1,000 nodes, 4,000 trials at a time: n0 (4), n1 (4), n2 (4), n3 (4), n4 (4), n5 (4) and "
        "994 more"
    )
