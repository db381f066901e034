"""Where on a cluster trials may run: from its nodes to hosts, each with its number of workers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.utils.machine import Device
from bakeoff.utils.text import counted, listed

_MANY = 6  # nodes that are named one by one


@dataclass(frozen=True)
class Node:
    """A node of a cluster; `key` is Ray's, `name` what a person calls it, unlike any other's."""

    key: str
    name: str
    cpus: int
    gpus: int


@dataclass(frozen=True)
class Place:
    """Where a host is to be: on a node or, with None, wherever there is room for it.

    size : trials at a time; on a GPU one program, of several trials of a model
    """

    node: Node | None
    size: int
    device: Device


def nodes(table: Sequence[Mapping[str, Any]], *, known: Mapping[str, Node]) -> list[Node]:
    """Return the living nodes of Ray's own table; those `known`, by key, keep their names."""
    found = []
    names = {each.name for each in known.values()}
    for row in table:
        key = row["NodeID"]
        if not row["Alive"]:
            continue
        if key not in known:
            plain = row["NodeManagerHostname"] or row["NodeManagerAddress"]
            name, number = plain, 1
            while name in names:
                number += 1
                name = f"{plain}-{number}"
            names.add(name)
            has = row["Resources"]
            found.append(Node(key, name, int(has.get("CPU", 0)), int(has.get("GPU", 0))))
        else:
            found.append(known[key])
    return found


def places(
    there: Sequence[Node],
    *,
    free: int | None,
    workers: int | None,
    device: Device | None,
) -> list[Place]:
    """Return the places that a study takes: all of a node, or one CPU at a time where others work.

    A node with GPUs gets a place for each of them and none for its CPUs, which feed them; other
    nodes train single trials.

    Parameters
    ----------
    free : how many CPUs of the cluster others leave to this study; None for all of them
    workers : trials at a time, in all; None for as many as there is room for
    device : "cpu" or "gpu" for one kind alone; None for both
    """
    found = []
    if device != "cpu":
        found += [Place(node, 1, "gpu") for node in there for _ in range(node.gpus)]
    if device != "gpu":
        cpus = [node for node in there if node.cpus and (device == "cpu" or not node.gpus)]
        if free is None:
            found += [Place(node, node.cpus, "cpu") for node in cpus]
        else:
            found += [Place(None, 1, "cpu")] * min(free, sum(node.cpus for node in cpus))
    return found if workers is None else _at_most(found, workers)


def _at_most(found: Sequence[Place], workers: int) -> list[Place]:
    kept, left = [], workers
    for place in found:
        size = min(place.size, left)
        if size:
            kept.append(Place(place.node, size, place.device))
        left -= size
    return kept


def in_words(found: Sequence[Place]) -> str:
    """Return "3 nodes, 40 trials at a time: a (16), b (16), c (8)"."""
    cpus = [place for place in found if place.device == "cpu"]
    gpus = [place for place in found if place.device == "gpu"]
    sizes: Counter[str] = Counter()
    for place in found:
        unit = "GPU" if place.device == "gpu" else ""
        sizes[f"{place.node.name} {unit}".strip() if place.node else "anywhere"] += place.size
    count = len({place.node for place in found if place.node})
    parts = []
    if cpus:
        parts.append(f"{counted(sum(place.size for place in cpus), 'trial')} at a time")
    if gpus:
        parts.append(f"on {counted(len(gpus), 'GPU')} the seeds of a model together")
    named = [f"{name} ({size})" for name, size in sizes.items()][:_MANY]
    if len(sizes) > _MANY:
        named.append(f"{len(sizes) - _MANY:,} more")
    head = [counted(count, "node"), *parts] if count else parts
    return f"{', '.join(head)}: {listed(named)}"
