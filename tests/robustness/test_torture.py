"""Kills, faults and crowds: nothing lost, nothing half-written taken for whole.

Oracle: what a run that was not disturbed leaves on disk, byte for byte.
`make torture` does far more of it. Cost: 80 s. Run: pytest tests/robustness/test_torture.py
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bakeoff.storage import array_files, atomic
from bakeoff.utils.user_paths import program_cache
from tests.helpers import forked
from tests.robustness.torture.__main__ import be_command

ROOT = Path(__file__).parents[2]


def test_a_scalar_comes_back_from_a_checkpoint_as_one(tmp_path):
    """It came back with shape (1,), and no checkpoint was ever gone on from."""
    weights = {"rate": np.array(3, np.int32), "kernel": np.ones((2, 3), np.float32).T}
    path = tmp_path / "weights.safetensors"
    atomic.write_file(path, array_files.weights_bytes(weights))
    for name, array in array_files.read_weights(path).items():
        assert array.shape == weights[name].shape
        assert (array == weights[name]).all()


def test_temporary_files_of_the_dead_are_cleared_away_and_no_others(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    kept = [f".report.html.{os.getpid()}.tmp", ".x.tmp", "x.1.tmp", ".hidden"]
    for name in [f".report.html.{dead.pid}.tmp", f".x.{2**70}.tmp", *kept]:
        (tmp_path / name).write_text("")
    old = tmp_path / ".report.html.1.tmp"  # of a container's first process, as there always is one
    old.write_text("")
    os.utime(old, (0, 0))
    atomic.clear_temporary(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)


PROGRAM = """
import shutil, sys
from pathlib import Path
from bakeoff.training import backend
from jax.experimental.compilation_cache import compilation_cache

cache = Path(sys.argv[1])
backend.start("cpu", cache=cache)

@backend.jax.jit
def double(x):
    return 2 * x

assert double(3.0) == 6
for damage in ("cut", "empty", "changed"):
    (entry,) = cache.glob("jit_double-*-cache")
    whole = entry.read_bytes()
    bad = {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "changed": whole[:-9] + bytes([whole[-9] ^ 16]) + whole[-8:],
    }
    entry.write_bytes(bad[damage])
    backend.jax.clear_caches()
    assert double(3.0) == 6
    print(damage, entry.read_bytes() == bad[damage])

moved = cache / "moved"
shutil.copytree(cache, moved)
backend.jax.config.update("jax_compilation_cache_dir", str(moved))
compilation_cache.reset_cache()
backend.jax.clear_caches()
assert double(3.0) == 6
print("moved", len(list(moved.glob("jit_double-*-cache"))))
"""


def test_a_damaged_compiled_program_is_compiled_again_without_a_word(tmp_path):
    """JAX warned of it on standard error, in every later run, and left it there.

    A whole one was compiled again where the cache had another path.
    """
    words = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "cut False\nempty False\nchanged False\nmoved 1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_few_kills_lose_nothing(tmp_path, tmp_path_factory, monkeypatch):
    words = ["crash", "--moments", "2", "--real", "1", "--boundaries", "3"]
    words += ["--folder", str(tmp_path)]
    if (programs := program_cache()) is not None:  # compiled by earlier runs
        words += ["--cache", str(programs.parents[1])]
    monkeypatch.setenv("JE_ARROW_MALLOC_CONF", "background_thread:false")
    printed = tmp_path_factory.mktemp("printed") / "output"
    process = forked.start(be_command, (words,), output=printed)
    process.join(600)
    said = printed.read_text(encoding="utf-8")
    assert process.exitcode == 0, said
    assert "kills before changes of files" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="forks a server")
def test_no_module_is_taken_from_the_folder_that_a_study_is_run_in(tmp_path):
    """A folder received from somebody may hold a socket.py; the workers' server imported it."""
    for name in ("socket", "selectors", "signal", "struct", "multiprocessing", "keras", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('harm-was-done', 'w').close()\n")
    (tmp_path / "r.yaml").write_text(
        "{name: x, data: digits, seeds: 1, baselines: [], training: {epochs: 1},"
        " models: {a: {layers: []}}}"
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("bakeoff"), "run", "r.yaml", "--keep-sealed"],
        cwd=tmp_path,
        env={**os.environ, "BAKEOFF_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "harm-was-done").exists()


def test_what_the_page_of_promises_names_is_there():
    """docs/reliability.md says which test or scene shows what."""
    from tests.robustness.torture.environments import SCENES

    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = page.partition("### Where it was tried")[2].partition("\n### ")[0]
    rows = {row.split("|")[1].strip() for row in table.splitlines() if row.startswith("| ")}
    assert rows >= {f"B{n}" for n in range(1, 15)} | {f"U{n}" for n in (*range(1, 5), 7, 8, 9)}
    for file, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", table):
        content = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in content, f"{file} has no {name}"
    named = re.findall(r"\bscenes? ((?:\"[^\"]+\"(?:, )?)+)", table)
    for scene in (each for names in named for each in re.findall(r"\"([^\"]+)\"", names)):
        assert any(known.startswith(scene) for known in SCENES), f"no scene is called {scene}"
