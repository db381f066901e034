"""Time left against simulated runs whose length is known; both ways of showing it; under 1 s.

Run: pytest tests/study/test_progress.py
"""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from bakeoff.study import progress as progresses
from bakeoff.study.pace import Pace
from bakeoff.study.progress import Display, Lines, progress
from bakeoff.utils.events import Planned, Watcher


def result(*, loss=0.25, accuracy=0.5, validation=0.75):
    return SimpleNamespace(loss=loss, accuracy=accuracy, val_accuracy=validation)


class Clock:
    """A clock that tests set."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progresses, "time", clock)
    return clock


# ── the estimate ─────────────────────────────────────────────────────────────────────────────

FAST, SLOW = 1.0, 6.0  # seconds an epoch


def simulate(pace, jobs, lengths, *, workers, delay):
    """Carry `jobs` out as the pool does; yield (now, the true time left) after every epoch."""
    events = []
    free = [0.0] * workers
    for job in jobs:
        worker = free.index(min(free))
        begin = free[worker]
        ends = [begin + delay + (k + 1) * lengths[job.label] for k in range(job.epochs)]
        events += [(begin, 0, job.label), *((end, 1, job.label) for end in ends)]
        events.append((ends[-1], 2, job.label))
        free[worker] = ends[-1]
    for now, kind, label in sorted(events, key=lambda event: (event[0], -event[1])):
        if kind == 0:
            pace.started(label, now)
        elif kind == 1:
            pace.epoch(label, now)
            yield now, max(free) - now
        else:
            pace.finished(label)


def jobs_and_lengths():
    jobs = [Planned(f"slow seed {seed}", 10, 600.0) for seed in range(4)]
    jobs += [Planned(f"fast seed {seed}", 20, 200.0) for seed in range(5)]
    lengths = {job.label: SLOW if job.label.startswith("slow") else FAST for job in jobs}
    return jobs, lengths


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_time_left_is_right_once_a_few_epochs_are_over(workers):
    jobs, lengths = jobs_and_lengths()
    pace = Pace(jobs)
    seen = [
        (pace.seconds_left(now), true)
        for now, true in simulate(pace, jobs, lengths, workers=workers, delay=2.0)
    ]
    assert [guess for guess, _ in seen[: min(workers, 2)]] == [None] * min(workers, 2)
    known = [(guess, true) for guess, true in seen if guess is not None]
    assert len(known) > 100
    for guess, true in known:
        assert guess == pytest.approx(true, rel=0.02, abs=2)


def test_wrong_costs_matter_only_until_a_model_is_seen():
    jobs, lengths = jobs_and_lengths()
    lengths = {label: 3 * s if label.startswith("fast") else s for label, s in lengths.items()}
    pace = Pace(jobs)
    seen = [
        (pace.seconds_left(now), true)
        for now, true in simulate(pace, jobs, lengths, workers=2, delay=2.0)
    ]
    assert seen[5][0] == pytest.approx(seen[5][1], rel=0.5)
    for guess, true in seen[45:]:
        assert guess == pytest.approx(true, rel=0.02, abs=2)


def test_a_trial_that_goes_on_from_a_checkpoint_does_not_look_fast():
    pace = Pace([Planned("cnn seed 0", 100, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.resumed("cnn seed 0", 50)
    assert pace.epochs("cnn seed 0") == (50, 100)
    assert pace.seconds_left(3.0) is None
    pace.epoch("cnn seed 0", 5.0)  # compiled, too
    for number in range(1, 3):
        pace.epoch("cnn seed 0", 5.0 + 2 * number)
    assert pace.seconds_left(9.0) == pytest.approx(47 * 2)
    assert pace.share == pytest.approx(0.53)


def test_a_long_first_epoch_is_an_estimate_already():
    pace = Pace([Planned("cnn seed 0", 5, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.epoch("cnn seed 0", 30.0)
    assert pace.seconds_left(30.0) == pytest.approx(120)
    pace.epoch("cnn seed 0", 55.0)
    assert pace.seconds_left(55.0) == pytest.approx(75)


def test_a_job_that_is_tried_once_more_begins_again():
    pace = Pace([Planned("cnn seed 0", 4, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.epoch("cnn seed 0", 1.0)
    pace.started("cnn seed 0", 2.0)
    assert pace.epochs("cnn seed 0") == (0, 4)
    assert pace.share == 0


def test_a_job_that_is_lost_counts_no_longer():
    pace = Pace([Planned("cnn seed 0", 4, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.lost("cnn seed 0")
    assert (pace.running, pace.total, pace.share, pace.seconds_left(1.0)) == ([], 0, 1.0, None)


def test_jobs_without_epochs_count_when_they_are_done():
    pace = Pace([Planned("logistic baseline", 0, 1.0), Planned("cnn seed 0", 2, 3.0)])
    pace.started("logistic baseline", 0.0)
    assert pace.share == 0
    pace.finished("logistic baseline")
    assert (pace.share, pace.done, pace.total) == (0.25, 1, 2)


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
