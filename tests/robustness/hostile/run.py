"""Carries out hostile cases by one process and its forks, each in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.robustness.hostile.case import Case


def outcomes(cases: Sequence[Case], base: Path, *imported: str) -> dict[str, dict[str, Any]]:
    """Return what each case did, by its name; modules are `imported` before, to spare time."""
    orders = []
    for number, case in enumerate(cases):
        place = base / str(number) / "here"
        place.mkdir(parents=True)
        environment = {name: str(base / "home") for name in ("HOME", "BAKEOFF_HOME")}
        environment |= {"XDG_CACHE_HOME": str(base / "cache"), "COLUMNS": "100"}
        environment |= case.environment
        orders.append(
            {
                "name": case.name,
                "folder": str(place),
                "words": case.make(place),
                "environment": environment,
            }
        )
    done = subprocess.run(
        [sys.executable, "-m", "tests.robustness.hostile.batch", *imported],
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        # what Python itself writes when it imports a module is no deed of a case
        env={**os.environ, "BAKEOFF_DEBUG": "", "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = {each["name"]: each for each in map(json.loads, done.stdout.splitlines())}
    return {each["name"]: {**found[each["name"]], "folder": each["folder"]} for each in orders}
