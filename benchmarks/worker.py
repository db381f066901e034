"""One worker process that does training jobs, as Bakeoff's own do, and says what they took.

Standard input: one line, {"job": the fields of a TrainJob but its seed, "seeds": n}. Standard
output: one line with the seconds from the first job's beginning to the last one's end, compilation
included and imports not, and the most memory held.
"""

import json
import sys
import time

from bakeoff.study.jobs.job import TrainJob
from bakeoff.training import backend
from benchmarks.opponents.child import peak_bytes


def main() -> None:
    """Do the jobs one after the other."""
    what = json.loads(sys.stdin.readline())
    backend.start("cpu")
    started = time.perf_counter()
    for seed in range(what["seeds"]):
        TrainJob(seed=seed, **what["job"]).run(lambda result: None)
    seconds = time.perf_counter() - started
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}) + "\n")


if __name__ == "__main__":
    main()
