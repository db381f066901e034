"""Figures drawn by other processes.

Oracle: the same figures drawn in this process alone. Cost: 4 s, most of it the other processes'
start. Command: pytest tests/report/plots/test_draw.py
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


def written(drawing):
    """Return a page of the five figures, each between its own words."""
    figures = []
    page = "".join(f"{k}:{draw.place(figures, each)}\n" for k, each in enumerate(POINTS))
    assert page.startswith("0:<!--figure 0-->\n1:<!--figure 1-->\n")
    return draw.filled(page, figures, drawing)


@pytest.fixture(scope="module")
def alone():
    page = written([])
    assert page.count("<svg") == 5
    return page


def gone(process):
    """Say whether a process has ended and was waited for."""
    return process.returncode is not None and not Path(f"/proc/{process.pid}").exists()


def test_other_processes_draw_the_page_of_one_and_end(alone, monkeypatch):
    monkeypatch.setattr(draw, "cores", lambda: 2)
    here = []
    monkeypatch.setattr(draw.Figure, "svg", lambda self, svg=draw.Figure.svg: (
        here.append(self.alt) or svg(self)
    ))  # fmt: skip
    with draw.processes() as drawing:
        assert written(drawing) == alone
        assert len(drawing) == 2
    assert here == []
    assert all(map(gone, drawing))


@pytest.mark.parametrize("says", ["", "import time; time.sleep(1)", "print('[')", "print(1/0)"])
def test_processes_that_die_or_write_nonsense_change_nothing(alone, monkeypatch, tmp_path, says):
    script = tmp_path / "draw_elsewhere.py"
    script.write_text(says)
    monkeypatch.setattr(draw, "cores", lambda: 2)
    monkeypatch.setattr(draw, "_SCRIPT", script)
    monkeypatch.setattr(draw, "_SECONDS", 0.2)
    with draw.processes() as drawing:
        for process in drawing if "sleep" not in says else []:
            process.wait()
        assert written(drawing) == alone
    assert all(map(gone, drawing))


def test_what_one_process_does_not_draw_is_drawn_here(alone, monkeypatch):
    monkeypatch.setattr(draw, "cores", lambda: 2)
    with draw.processes() as drawing:
        drawing[1].kill()
        assert written(drawing) == alone


def test_where_no_core_or_no_process_is_to_be_had_all_is_drawn_here(alone, monkeypatch):
    monkeypatch.setattr(draw, "cores", lambda: 1)
    with draw.processes() as drawing:
        assert drawing == []
    monkeypatch.setattr(draw, "cores", lambda: 2)
    with draw.processes(wanted=False) as drawing:
        assert drawing == []
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with draw.processes() as drawing:
        assert drawing == []
        assert written(drawing) == alone


def test_an_interrupt_leaves_nothing_running(monkeypatch):
    monkeypatch.setattr(draw, "cores", lambda: 2)
    with pytest.raises(KeyboardInterrupt), draw.processes() as drawing:
        raise KeyboardInterrupt
    assert len(drawing) == 2 and all(map(gone, drawing))


def test_the_script_ends_where_nobody_asks_it_anything():
    """As when the process that started it was killed."""
    command = [sys.executable, "-P", str(draw._SCRIPT), draw.VERSION]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=60
    )
    assert done.returncode == 1 and done.stdout == b""
