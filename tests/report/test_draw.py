"""Figures drawn by two processes.

Oracle: the same figures drawn in this process alone. Cost: 3 s, most of it the second process's
start. Command: pytest tests/report/test_draw.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.report.plots import draw
from bakeoff.report.plots.figure import figure

POINTS = [
    figure(
        {"data": {"values": [{"x": k / 3, "y": k}]}, "mark": {"type": "point", "clip": True}},
        alt=f"Point {k}.",
    )
    for k in range(5)
]


def written(process):
    """Return a page of the five figures, each between its own words."""
    figures = []
    page = "".join(f"{k}:{draw.place(figures, each)}\n" for k, each in enumerate(POINTS))
    assert page.startswith("0:<!--figure 0-->\n1:<!--figure 1-->\n")
    return draw.filled(page, figures, process)


@pytest.fixture(scope="module")
def alone():
    page = written(None)
    assert page.count("<svg") == 5
    return page


def gone(process):
    """Say whether a process has ended and was waited for."""
    return process.returncode is not None and not Path(f"/proc/{process.pid}").exists()


def test_two_processes_write_the_page_of_one_and_the_second_ends(alone, monkeypatch):
    monkeypatch.setattr(draw, "cores", lambda: 2)
    here = []
    monkeypatch.setattr(draw.Figure, "svg", lambda self, svg=draw.Figure.svg: (
        here.append(self.alt) or svg(self)
    ))  # fmt: skip
    with draw.second_process() as process:
        assert written(process) == alone
    assert here == ["Point 0.", "Point 3."]
    assert gone(process)


@pytest.mark.parametrize("says", ["", "import time; time.sleep(1)", "print('[')", "print(1/0)"])
def test_a_second_process_that_dies_or_answers_nonsense_changes_nothing(
    alone, monkeypatch, tmp_path, says
):
    script = tmp_path / "draw_elsewhere.py"
    script.write_text(says)
    monkeypatch.setattr(draw, "cores", lambda: 2)
    monkeypatch.setattr(draw, "_SCRIPT", script)
    monkeypatch.setattr(draw, "_SECONDS", 0.2)
    with draw.second_process() as process:
        if "sleep" not in says:
            process.wait()
        assert written(process) == alone
    assert gone(process)


def test_where_no_core_or_no_process_is_to_be_had_all_is_drawn_here(alone, monkeypatch):
    monkeypatch.setattr(draw, "cores", lambda: 1)
    with draw.second_process() as process:
        assert process is None
    monkeypatch.setattr(draw, "cores", lambda: 2)
    with draw.second_process(wanted=False) as process:
        assert process is None
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with draw.second_process() as process:
        assert process is None
        assert written(process) == alone


def test_an_interrupt_leaves_nothing_running(monkeypatch):
    monkeypatch.setattr(draw, "cores", lambda: 2)
    with pytest.raises(KeyboardInterrupt), draw.second_process() as process:
        raise KeyboardInterrupt
    assert gone(process)


def test_the_script_ends_where_nobody_asks_it_anything():
    """As when the process that started it was killed."""
    command = [sys.executable, "-P", str(draw._SCRIPT), draw.VERSION]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=60
    )
    assert done.returncode == 1 and done.stdout == b""
