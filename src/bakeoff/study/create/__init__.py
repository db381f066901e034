"""Creating a study's folder, or extending the one that is there: data loaded, split, recorded."""

from bakeoff.study.create.load_split import load_split
from bakeoff.study.create.prepare import Prepared, prepare
from bakeoff.study.create.record import test_hash

__all__ = ["Prepared", "load_split", "prepare", "test_hash"]
