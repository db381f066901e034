"""Experiments shared out to forked processes that may fork in turn, as daemons may not."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def shared(
    experiment: Callable[[int, Any], dict[str, Any]],
    items: Sequence[Any],
    *,
    folder: Path,
    jobs: int = 1,
    share: tuple[int, int] = (1, 1),
) -> list[dict[str, Any]]:
    """Return experiment(job, item) of every item, in order; it must give JSON.

    share : (2, 3) takes the second of three shares of the items, every third one
    """
    items = items[share[0] - 1 :: share[1]]
    jobs = max(1, min(jobs, len(items)))
    pids = []
    for job in range(jobs):
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                with (folder / f"results-{job}.jsonl").open("w") as file:
                    for number in range(job, len(items), jobs):
                        result = experiment(job, items[number])
                        file.write(json.dumps([number, result]) + "\n")
                        file.flush()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        pids.append(pid)
    failed = [pid for pid in pids if os.waitpid(pid, 0)[1] != 0]
    if failed:
        raise RuntimeError("an experiment failed; see above")
    found: dict[int, dict[str, Any]] = {}
    for job in range(jobs):
        for line in (folder / f"results-{job}.jsonl").read_text().splitlines():
            number, result = json.loads(line)
            found[number] = result
    return [found[number] for number in range(len(items))]
