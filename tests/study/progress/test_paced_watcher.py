"""What all ways to show progress have in common.

Oracle: by hand. Cost: nothing. Run: pytest tests/study/progress/test_paced_watcher.py
"""

from bakeoff.study.progress.paced_watcher import PacedWatcher
from bakeoff.utils.events import EpochResult, Planned, Resumed

RESULT = EpochResult(0, 0.25, 0.5, 0.5, 0.5, 0.75, 0.001)


def test_the_pace_follows_what_is_told():
    watcher = PacedWatcher()
    watcher.begin("training", [Planned("a", 4, 1.0), Planned("b", 4, 1.0), Planned("c", 4, 1.0)])
    watcher.started("a")
    watcher.resumed("a", Resumed([RESULT] * 2))
    watcher.epoch("a", RESULT)
    assert watcher._pace.epochs("a") == (3, 4)
    watcher.finished("a")
    watcher.lost("c")
    assert (watcher._pace.done, watcher._pace.total) == (1, 2)


def test_a_stage_without_jobs_has_no_pace_and_ignores_what_is_told():
    watcher = PacedWatcher()
    watcher.begin("testing", [])
    watcher.started("a")
    watcher.epoch("a", RESULT)
    watcher.resumed("a", Resumed([RESULT]))
    watcher.finished("a")
    watcher.lost("a")
    assert watcher._pace is None
