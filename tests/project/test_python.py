"""The Python surface as a user's script sees it: names, types, help, and what is printed.

Oracle: docs/python.md, and mypy on a user's script. Cost: 15 s, most of it mypy's.
Run: .venv/bin/pytest tests/project/test_python.py
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bakeoff
from bakeoff.errors import BakeoffError
from bakeoff.utils.user_paths import user_cache
from tests.helpers.fake_study import FakeModel, write_study

ROOT = Path(__file__).parents[2]
SCRIPT = """
from pathlib import Path

import bakeoff

study = bakeoff.Study("mine", data="digits", models={"a": {"layers": []}}, seeds=3)
result: bakeoff.Result = study.run()
again: bakeoff.Result = bakeoff.run("digits", seeds=3, out=Path("here"))
both = bakeoff.compare("one", Path("two"))
name: str | None = both.recommended
version: str = bakeoff.__version__
both.plot_roc("cnn").save("roc.svg")
for pair in both.verdicts:
    verdict: str | None = pair.verdict
try:
    bakeoff.run("nowhere.yaml")
except bakeoff.BakeoffError as error:
    print(error.exit_code + 1)
"""
WRONG = """
import bakeoff

bakeoff.run("digits", seeds="three")
bakeoff.compare()
bakeoff.compare("one").plot_rocs()
bakeoff.Studdy
bakeoff.run("digits", wrong=3)
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    models = {f"model-{k}": FakeModel(0.9 - 0.01 * k) for k in range(12)}
    folder = write_study(tmp_path_factory.mktemp("python") / "study", models, seeds=(0, 1, 2))
    return bakeoff.compare(folder.path)


def test_a_users_script_is_type_checked(tmp_path):
    """U9: a misspelt name, and an unknown option of run, passed mypy --strict."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "wrong.py").write_text(WRONG)
    cache = (user_cache() or ROOT / ".mypy_cache") / "mypy-of-tests"  # other checkouts' too
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}",
         "script.py", "wrong.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    found = re.findall(r"^(\w+)\.py:(\d+): error: .*\[([a-z-]+)\]$", done.stdout, flags=re.M)
    assert found == [
        ("wrong", "4", "arg-type"),
        ("wrong", "5", "call-arg"),
        ("wrong", "6", "attr-defined"),
        ("wrong", "7", "attr-defined"),
        ("wrong", "8", "call-arg"),
    ], done.stdout


def test_a_result_and_a_study_are_printed_in_a_few_lines(result, tmp_path):
    lines = repr(result).splitlines()
    assert lines[0].startswith("Result of fake: ")
    assert lines[1].startswith("  model-0: 90.00 % (")
    assert lines[9] == "  and 4 more"
    assert len(lines) == 11
    assert len(str(result)) < 700
    study = bakeoff.Study("s", data="digits", models={"a": {"layers": []}}, seeds=3)
    assert repr(study) == "<Study s: 1 model (a), 3 seeds>"
    sealed = write_study(tmp_path / "sealed", {"a": FakeModel()}, opened=False)
    from bakeoff.study.result import Result

    assert repr(Result(sealed, None)) == f"<Result of {sealed.path}: sealed>"


def test_a_result_shows_table_and_figure_in_a_notebook(result):
    shown = result._repr_html_()
    assert shown.count("<table>") == 1
    assert shown.count("<svg") == 1
    assert "<script" not in shown


def test_arguments_may_be_numpys_tuples_and_paths():
    given = bakeoff.Study(
        "s",
        data={"folder": Path("pets"), "size": (16, np.int32(16))},
        models={"a": {"layers": ({"dense": np.int64(8)},)}},
        seeds=np.arange(2),
        training={
            "epochs": np.int64(3),
            "optimizer": {"adam": {"learning_rate": np.float64(0.01), "amsgrad": np.True_}},
        },
        split={"validation": np.float64(0.25)},
        baselines=(),
        margin=np.float64(0.004),
    )
    plain = bakeoff.Study(
        "s",
        data={"folder": "pets", "size": [16, 16]},
        models={"a": {"layers": [{"dense": 8}]}},
        seeds=[0, 1],
        training={
            "epochs": 3,
            "optimizer": {"adam": {"learning_rate": 0.01, "amsgrad": True}},
        },
        split={"validation": 0.25},
        baselines=[],
        margin=0.004,
    )
    assert given.recipe == plain.recipe


@pytest.mark.parametrize("name", ["run", "compare", "Study", "Result", "Classifier"])
def test_help_gives_an_example(name):
    text = getattr(bakeoff, name).__doc__
    assert ">>> " in text
    assert name == "Result" or "Parameters" in text


WINDOWS = (
    "bakeoff runs on Linux and macOS; on Windows, in WSL, the Windows Subsystem for Linux: "
    "`wsl --install` once, then install and run it there as on Linux (docs/install.md)"
)


def on_windows(code, *arguments):
    """Run code in a Python that says it is on Windows."""
    code = f"import sys, traceback; sys.platform = 'win32'\n{code}"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_windows_is_told_in_one_line_what_is_supported():
    done = on_windows("try: import bakeoff\nexcept ImportError as error: print(error)")
    assert (done.stdout, done.stderr) == (f"{WINDOWS}\n", "")
    for program in (r"C:\Users\ada\Scripts\bakeoff.exe", "/usr/bin/bakeoff", "-m"):
        code = f"sys.argv = [{program!r}, '--help']\nfrom bakeoff.cli import main\nmain()"
        done = on_windows(code)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{WINDOWS}\n")


def test_the_version_is_the_packages():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", bakeoff.__version__)
    assert dir(bakeoff) == sorted(bakeoff.__all__)


def test_the_page_for_python_names_every_figure():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    figures = [name for name in dir(bakeoff.Result) if name.startswith("plot_")]
    assert [name for name in figures if f"`{name}(" not in page] == []
    assert [name for name in bakeoff.__all__ if f"bakeoff.{name}" not in page] == []


def backend(tmp_path, code="import bakeoff, keras; print(keras.backend.backend())", **chosen):
    environment = {k: v for k, v in os.environ.items() if k not in ("KERAS_BACKEND", "KERAS_HOME")}
    environment |= {"KERAS_HOME": str(tmp_path), **chosen}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_keras_gets_a_backend_where_nobody_chose_one(tmp_path):
    assert backend(tmp_path) == "jax"
    told = "import os, bakeoff; print(os.environ.get('KERAS_BACKEND'))"
    (tmp_path / "keras.json").write_text('{"backend": "tensorflow"}')  # as Keras writes it itself
    assert backend(tmp_path, told) == "jax"
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert backend(tmp_path, told) == "None"
    assert backend(tmp_path, told, KERAS_BACKEND="numpy") == "numpy"
    (tmp_path / "keras.json").write_text("not json")
    assert backend(tmp_path, told) == "jax"


def test_a_users_error_is_one_line_in_ipython(monkeypatch):
    error = BakeoffError("expected this,\nfound that: do so")
    assert error._render_traceback_() == ["BakeoffError: expected this, found that: do so"]
    monkeypatch.setenv("BAKEOFF_DEBUG", "1")
    assert error._render_traceback_()[-1].startswith("bakeoff.errors.BakeoffError")
