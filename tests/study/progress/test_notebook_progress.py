"""Progress in a notebook: one display that is replaced, and a last line.

Oracle: a clock that tests set, and the texts that are shown. Cost: nothing.
Run: pytest tests/study/progress/test_notebook_progress.py
"""

from types import SimpleNamespace

import pytest

from bakeoff.study.progress import notebook_progress as module
from bakeoff.study.progress import paced_watcher
from bakeoff.study.progress.notebook_progress import NotebookProgress, in_notebook, shown_progress
from bakeoff.study.progress.terminal_progress import progress
from bakeoff.utils.events import Planned

JOBS = [Planned("a", 2, 1.0), Planned("b", 2, 1.0)]


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    for each in (paced_watcher, module):
        monkeypatch.setattr(each, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_a_bar_moves_and_leaves_one_line(clock):
    shown = []
    display = NotebookProgress(shown.append)
    display.begin("training", JOBS)
    assert shown == [f"training {'░' * 24} 0 of 2"]
    display.note("B is slow")
    for label in "ab":
        display.started(label)
        for _ in range(2):
            clock.now += 10
            display.epoch(label, None)
        display.finished(label)
    assert shown[1].startswith("B is slow\ntraining ")
    assert any(text.endswith("1 of 2, about 10 s left") for text in shown)
    display.close()
    assert shown[-1] == "B is slow\n2 jobs done in 40 s"


def test_updates_are_seldom(clock):
    shown = []
    display = NotebookProgress(shown.append)
    display.begin("training", JOBS)
    display.started("a")
    for _ in range(9):
        clock.now += 0.05
        display.epoch("a", None)
    assert len(shown) == 2


def test_without_jobs_there_is_nothing_to_do(clock):
    shown = []
    display = NotebookProgress(shown.append)
    display.begin("training", [])
    display.epoch("a", None)
    display.lost("a")
    display.close()
    assert shown == ["nothing to do"]


def test_what_was_stopped_does_not_say_that_there_was_nothing_to_do(clock, monkeypatch):
    """Interrupted before the first trial was done, and refused, a cell said "nothing to do"."""
    shown = []
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    monkeypatch.setattr(module, "_Display", lambda: shown.append)
    with pytest.raises(ValueError, match="refused"), shown_progress():
        raise ValueError("refused")
    assert not shown
    with pytest.raises(KeyboardInterrupt), shown_progress() as display:
        display.begin("training", JOBS)
        clock.now += 4
        raise KeyboardInterrupt
    assert shown[-1] == "0 jobs done in 4.0 s"


def test_elsewhere_progress_is_shown_as_always(monkeypatch):
    monkeypatch.setattr(module, "_shell", lambda: None)
    assert not in_notebook()
    with progress() as usual, shown_progress() as watcher:
        assert type(watcher) is type(usual)
    monkeypatch.setattr(module, "_shell", lambda: SimpleNamespace(kernel=object()))
    assert in_notebook()
    monkeypatch.setattr(module, "_Display", lambda: lambda text: None)
    with shown_progress() as watcher:
        assert isinstance(watcher, NotebookProgress)
