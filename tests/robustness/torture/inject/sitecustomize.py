"""Imported by every Python that finds this folder in PYTHONPATH: carries out $TORTURE_PLAN."""

import json
import os

if "TORTURE_PLAN" in os.environ:
    from tests.robustness.torture.faults import Plan, install

    install(Plan(**json.loads(os.environ["TORTURE_PLAN"])))
