"""A Ray cluster of several nodes on this machine, in a process of its own: Ray starts threads.

Run as a script it obeys a line at a time on standard input: `add`, `kill NUMBER`; it answers each
with a line, the first with the cluster's address.
"""

import os
import subprocess
import sys
from types import TracebackType
from typing import Self

from bakeoff.study.executors import ray_cluster


class Nodes:
    """A head that does no jobs, and nodes of one CPU that are killed at will."""

    def __init__(self, number: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.robustness.torture.nodes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.address = self._answer()
        self._alive = [self.say("add") for _ in range(number)]

    def add(self) -> None:
        """Let a node join."""
        self._alive.append(self.say("add"))

    def kill(self) -> None:
        """Kill the youngest node, as a power cut would."""
        self.say(f"kill {self._alive.pop()}")

    def say(self, order: str) -> str:
        """Give an order and return the answer: the node's number."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the cluster's process has ended")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


def main() -> None:
    """Start a cluster and obey until standard input ends."""
    ray_cluster._imported()
    from ray.cluster_utils import Cluster

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray talks on standard output
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = []
    answers.write(f"{made.address}\n")
    answers.flush()
    for line in sys.stdin:
        order, *which = line.split()
        if order == "add":
            nodes.append(made.add_node(num_cpus=1, num_gpus=0))
            answer = len(nodes) - 1
        else:
            answer = int(which[0])
            made.remove_node(nodes[answer], allow_graceful=False)
        answers.write(f"{answer}\n")
        answers.flush()
    made.shutdown()


if __name__ == "__main__":
    main()
