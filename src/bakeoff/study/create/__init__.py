"""Creating a study's folder, or extending the one that is there: data loaded, split, recorded."""

from bakeoff.study.create.prepare import Prepared, load_split, prepare, test_hash

__all__ = ["Prepared", "load_split", "prepare", "test_hash"]
