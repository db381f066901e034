"""What a Ray cluster offers a study: its nodes, trials at a time, how fast a core of it is."""

import statistics
from dataclasses import dataclass
from typing import Any

from bakeoff.errors import StudyError
from bakeoff.study.executors import ray_places
from bakeoff.study.executors.ray_places import Place
from bakeoff.utils.text import duration, listed


@dataclass(frozen=True)
class ClusterPlan:
    """A cluster as it was found.

    name : as the user names it: "--on ray"
    processors : their names
    rate : operations a second of a core, the mean over all CPUs; None where only GPUs train
    """

    name: str
    places: tuple[Place, ...]
    processors: tuple[str, ...]
    rate: float | None

    @property
    def workers(self) -> int:
        """How many single trials are trained at a time."""
        return sum(place.size for place in self.places if place.device == "cpu")

    @property
    def gpus(self) -> int:
        """How many GPUs train."""
        return sum(place.device == "gpu" for place in self.places)

    def to_json(self) -> dict[str, Any]:
        """Return its part of what `bakeoff plan --json` prints."""
        return {
            "on": self.name,
            "gpus": self.gpus,
            "processors": list(self.processors),
            "nodes": [
                {"name": place.node.name, "size": place.size, "device": place.device}
                for place in self.places
                if place.node is not None
            ],
        }

    def sentences(self, networks: str, *, seconds: float | None) -> list[str]:
        """Return how many networks are trained, on what, and for how long."""
        lines = [f"{networks} on {ray_places.in_words(self.places)}; {listed(self.processors)}."]
        if seconds is not None and self.rate is not None:
            lines.append(
                f"About {duration(seconds, rough=True)}. Rough: from a matrix product that did "
                f"{self.rate / 1e9:.0f} billion operations a second on one core of a node just now."
            )
        elif self.workers:
            lines.append("No estimate of time: not every model's layers are known yet.")
        if self.gpus and self.workers:
            lines.append("The time is for the CPUs; GPUs take their share, and are faster.")
        elif self.gpus:
            lines.append("No estimate of time: there is one for CPUs, and only GPUs train here.")
        return lines


def cluster_plan(on: str) -> ClusterPlan:
    """Ask every node of a cluster what it is; nothing is trained.

    Raises
    ------
    UsageError, StudyError : there is no such cluster, or one of other versions
    """
    from bakeoff.study.executors.ray_cluster import connected

    with connected(on, workers=None) as cluster:
        nodes = ray_places.nodes(cluster.nodes(), known={})
        cluster.require_same_versions(nodes)
        places = ray_places.places(nodes, free=None, workers=None, device=None)
        if not places:
            raise StudyError(
                f"{cluster.name}: expected a node with a CPU or GPU for trials, found none: add one"
            )
        cpus = {place.node.key: place for place in places if place.node and place.device == "cpu"}
        used = [node for node in nodes if node.key in {p.node.key for p in places if p.node}]
        found = cluster.survey(used, measure=True)
        rates = [
            found[key]["rate"]
            for key, place in cpus.items()
            if key in found
            for _ in range(place.size)
        ]
        processors = dict.fromkeys(str(each["processor"]) for each in found.values())
        return ClusterPlan(
            cluster.name,
            tuple(places),
            tuple(processors),
            statistics.fmean(rates) if rates else None,
        )
