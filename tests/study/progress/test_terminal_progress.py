"""Time left against simulated runs whose length is known; both ways of showing it; under 1 s.

Run: pytest tests/study/progress/test_terminal_progress.py
"""

import io
import math

import pytest
from rich.console import Console

from bakeoff.study.progress import paced_watcher
from bakeoff.study.progress import terminal_progress as progresses
from bakeoff.study.progress.terminal_progress import Display, Lines, progress
from bakeoff.utils.events import EpochResult, Planned, Resumed, Watcher


def result(*, epoch=0, loss=0.25, accuracy=0.5, validation=0.75, entropy=0.5):
    return EpochResult(epoch, loss, accuracy, entropy, entropy, validation, 0.001)


class Clock:
    """A clock that tests set."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (paced_watcher, progresses):
        monkeypatch.setattr(module, "time", clock)
    return clock


# ── lines ────────────────────────────────────────────────────────────────────────────────────


def test_lines_for_a_file(clock):
    stream = io.StringIO()
    jobs = [Planned("cnn seed 0", 3, 10.0), Planned("cnn seed 1", 3, 10.0)]
    with progress(stream) as watcher:
        assert isinstance(watcher, Lines)
        watcher.note("skipped 1 broken file: a.png")
        watcher.begin("training", jobs)
        for job in jobs:
            watcher.started(job.label)
            for _ in range(3):
                clock.now += 10
                watcher.epoch(job.label, result())
            watcher.finished(job.label)
        watcher.begin("testing", [Planned("cnn seed 0", 0, 1.0)])
        watcher.started("cnn seed 0")
        watcher.finished("cnn seed 0")
        watcher.begin("testing", [])
    assert stream.getvalue().splitlines() == [
        "skipped 1 broken file: a.png",
        "training: 2 to do",
        "1 of 2 done: cnn seed 0 in 30 s, loss 0.2500, validation 75.00 %; about 30 s left",
        "2 of 2 done: cnn seed 1 in 30 s, loss 0.2500, validation 75.00 %",
        "testing: 1 to do",
    ]


def test_a_line_of_a_finished_trial_shows_the_selected_epoch():
    """It showed the last one; the line of a search's best setting beside it, the selected one."""
    stream = io.StringIO()
    watcher = Lines(stream)
    watcher.begin("training", [Planned("a seed 0", 4, 1.0, "best-loss"), Planned("b", 4, 1.0)])
    worse = result(epoch=3, loss=0.1, validation=0.9, entropy=0.7)
    best = result(epoch=2, loss=0.2, validation=0.8, entropy=0.4)
    for label in ("a seed 0", "b"):
        watcher.started(label)
        watcher.epoch(label, best)
        watcher.started(label)  # once more: its process was killed
        watcher.resumed(label, Resumed((result(), best)))
        watcher.epoch(label, worse)
        watcher.finished(label)
    assert stream.getvalue().splitlines()[1:] == [
        "1 of 2 done: a seed 0 in 1 s, loss 0.2000, validation 80.00 %",
        "2 of 2 done: b in 1 s, loss 0.1000, validation 90.00 %",
    ]


def test_a_line_of_a_trial_that_diverged_says_so():
    stream = io.StringIO()
    watcher = Lines(stream)
    watcher.begin("training", [Planned("a seed 0", 4, 1.0), Planned("a seed 1", 4, 1.0)])
    for label, epochs in (("a seed 0", [result()]), ("a seed 1", [])):
        watcher.started(label)
        for each in [*epochs, result(loss=math.nan)]:
            watcher.epoch(label, each)
        watcher.finished(label)
    assert [line.partition(", ")[2] for line in stream.getvalue().splitlines()[1:]] == [
        "loss 0.2500, validation 75.00 %, diverged",
        "loss nan, validation 75.00 %, diverged",
    ]


def test_lines_and_bars_say_which_node_of_a_cluster_is_at_a_trial(clock):
    stream = io.StringIO()
    lines, display = Lines(stream), Display(Console(file=Terminal(), force_terminal=True, width=99))
    for watcher in (lines, display):
        watcher.begin("training", [Planned("cnn seed 0", 2, 1.0)])
        watcher.started("cnn seed 0", "box-2")
        clock.now += 10
        watcher.epoch("cnn seed 0", result())
    assert drawn(display)[1].startswith("  cnn seed 0 on box-2")
    clock.now += 200
    lines.epoch("cnn seed 0", result())
    lines.finished("cnn seed 0")
    found = stream.getvalue().splitlines()[1:]
    assert found[0].startswith("cnn seed 0 on box-2: epoch 2 of 2, ")
    assert found[1].startswith("1 of 1 done: cnn seed 0 on box-2 in 3.7 min, ")
    display.close()


def test_lines_break_a_long_silence(clock):
    stream = io.StringIO()
    watcher = Lines(stream)
    watcher.begin("training", [Planned("cnn seed 0", 10, 1.0)])
    watcher.started("cnn seed 0")
    for _ in range(4):
        clock.now += 50
        watcher.epoch("cnn seed 0", result(validation=None))
    assert stream.getvalue().splitlines()[1:] == [
        "cnn seed 0: epoch 3 of 10, loss 0.2500, training 50.00 %; about 5.8 min left"
    ]


def test_without_a_console_nothing_is_said(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    with progress() as watcher:
        assert type(watcher) is Watcher


class Gone(io.StringIO):
    """A stream of which nobody reads any more."""

    terminal = False

    def isatty(self):
        return self.terminal

    def write(self, text):
        raise OSError(5, "Input/output error")

    def flush(self):
        raise ValueError("I/O operation on closed file")


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_that_cannot_be_written_stops_nothing(terminal, monkeypatch):
    """U4: the first line that could not be written ended the training."""
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Gone()
    stream.terminal = terminal
    with progress(stream) as watcher:
        assert isinstance(watcher, Display if terminal else Lines)
        watcher.begin("training", [Planned("a seed 0", 1, 1.0)])
        watcher.started("a seed 0")
        watcher.note("something")
        watcher.epoch("a seed 0", result())
        watcher.finished("a seed 0")


def test_force_color_makes_no_terminal_of_a_file(monkeypatch):
    """B9: 16.7 kB of cursor codes in a file."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    stream = io.StringIO()
    with progress(stream) as watcher:
        watcher.note("something")
    assert stream.getvalue() == "something\n"


# ── a terminal ───────────────────────────────────────────────────────────────────────────────


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drawn(display):
    console = Console(width=100, file=io.StringIO(), color_system=None)
    console.print(display._render())
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_bar_and_a_line_for_every_running_trial(clock):
    display = Display(Console(file=Terminal(), force_terminal=True, width=100))
    display.begin("training", [Planned("a seed 0", 4, 30.0), Planned("majority baseline", 0, 10.0)])
    display.started("a seed 0")
    display.started("majority baseline")
    for _ in range(2):
        clock.now += 5
        display.epoch("a seed 0", result())
    lines = drawn(display)
    assert lines[0].startswith("training ━")
    assert lines[0].endswith(" 0 of 2 about 10 s left")
    assert "epoch 2/4" in lines[1]
    assert "loss 0.2500" in lines[1]
    assert "validation 75.00 %" in lines[1]
    assert lines[2] == "  majority baseline"
    display.finished("a seed 0")
    assert len(drawn(display)) == 2
    display.begin("testing", [])
    assert drawn(display) == [""]
    display.close()


def test_a_terminal_gets_the_display_and_its_cursor_back(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    with progress(stream) as watcher:
        assert isinstance(watcher, Display)
        watcher.begin("training", [Planned("a seed 0", 1, 1.0)])
        watcher.note("[bold]not markup[/bold]")
    text = stream.getvalue()
    assert "[bold]not markup[/bold]" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with progress(Terminal()) as watcher:
        assert isinstance(watcher, Lines)
