"""What a user's environment says to Keras, JAX, matplotlib and the terminal changes no network.

Oracle: the bytes of a study carried out in a plain environment. Cost: 20 s, most of it three starts
of Python with Keras. Run: pytest tests/study/test_environment.py
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import platformdirs
import pytest

from bakeoff.errors import StorageError, StudyError
from bakeoff.study.executors import fork_server
from bakeoff.utils.user_paths import user_cache
from tests.helpers.small import carry_out, identical

pytestmark = pytest.mark.usefixtures("figures_undrawn")  # nothing here is looked at

CONV = {"layers": [{"conv2d": {"filters": 2, "kernel_size": 3}}, {"dense": 4}]}
SCRIPT = f"""
import sys
from tests.helpers.small import carry_out
result = carry_out(sys.argv[1], sys.argv[2], workers=1, models={{"net": {CONV}}}, baselines=[],
                   seeds=1, training={{"epochs": 2, "batch_size": 16}})
print(result.comparison.models[0].parameters)
"""


@pytest.fixture(scope="module")
def plain(npz, tmp_path_factory):
    """The same study, by a worker of this process."""
    place = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEOFF_HOME", str(place / "home"))
        carry_out(npz, place / "study", workers=1, models={"net": CONV}, baselines=[],
                  seeds=1, training={"epochs": 2, "batch_size": 16})  # fmt: skip
    return place / "study"


def script(npz, place, **environment):
    place.mkdir(exist_ok=True)
    given = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "BAKEOFF_HOME": str(place / "home"),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(npz), str(place / "study")],
        cwd=place,
        env=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def keras_says(place, **settings):
    home = place / "keras"
    home.mkdir()
    (home / "keras.json").write_text(json.dumps(settings))
    return {"KERAS_HOME": str(home)}


def test_what_others_say_to_the_libraries_changes_no_byte(npz, plain, tmp_path):
    """B2, B3, B7, B8: each changed networks, lost trials or ended in a traceback in 0.1.0."""
    said = {
        **keras_says(
            tmp_path,
            image_data_format="channels_first",
            floatx="float16",
            epsilon=0.01,
            backend="tensorflow",
        ),
        "JAX_ENABLE_X64": "1",
        "JAX_NUMPY_RANK_PROMOTION": "raise",
        "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
        "JAX_DISABLE_JIT": "1",
        "XLA_FLAGS": "--xla_no_such_flag=1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TMPDIR": str(long_folder(tmp_path)),
    }
    done = script(npz, tmp_path, **said)
    assert (done.returncode, done.stdout) == (0, "167\n"), done.stderr
    assert identical(plain, tmp_path / "study")


def long_folder(tmp_path):
    """Return a folder whose name is too long for a socket in it."""
    place = tmp_path / ("t" * 90)
    place.mkdir()
    return place


def test_a_home_that_nobody_knows_is_no_accident(npz, plain, tmp_path):
    """B6, as in a container with a number for a user: HOME is relative, or not there."""
    done = script(npz, tmp_path, HOME="nowhere", XDG_CACHE_HOME="", XDG_DATA_HOME="")
    assert (done.returncode, done.stdout) == (0, "167\n"), done.stderr
    assert identical(plain, tmp_path / "study")


def test_four_threads_leave_their_process_as_it_was(monkeypatch):
    """B12: __main__ had lost its file, and OMP_NUM_THREADS=1 stayed set."""
    seen = []

    def start():
        seen.append((os.environ["OMP_NUM_THREADS"], sys.modules["__main__"].__file__))
        time.sleep(0.02)

    monkeypatch.setattr(fork_server.forkserver, "ensure_running", start)
    monkeypatch.setattr(fork_server, "_owner", [os.getpid()])
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "script.py", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before = dict(os.environ)
    threads = [Thread(target=fork_server.warm_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [("1", None)] * 4
    assert sys.modules["__main__"].__file__ == "script.py"
    assert dict(os.environ) == before


DEADLY = """
import sys
from bakeoff.errors import BakeoffError
from bakeoff.study.executors import fork_server
fork_server._IMPORTED = ("deadly",)
try:
    for _ in range(2):  # the first may still find the server alive
        fork_server.start_process(print, ()).join()
except BakeoffError as error:
    print(error)
"""


def test_a_fork_server_that_cannot_import_is_named(tmp_path):
    """B7: "unexpected EOFError"; memory that runs out does it, too."""
    (tmp_path / "deadly.py").write_text("import os\nos._exit(1)\n")
    paths = [str(Path(__file__).parents[2]), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", DEADLY],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == (
        "expected worker processes that import Keras and JAX, found that they end at once: what "
        "they said stands above; without a word, memory was probably short\n",
        "",
    )


def test_a_user_without_a_home_is_asked_for_one_before_anything_is_trained(
    npz, tmp_path, monkeypatch
):
    """B5, B6."""

    def unknown(name):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(platformdirs, "user_data_path", unknown)
    monkeypatch.setattr(platformdirs, "user_cache_path", unknown)
    monkeypatch.delenv("BAKEOFF_HOME")
    assert user_cache() is None
    text = (
        "expected a home folder for the ledger of your openings, found none: set HOME, or "
        "BAKEOFF_HOME to a folder of yours"
    )
    with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
        carry_out(npz, tmp_path / "study")
    assert not (tmp_path / "study").exists()


POOL = """
import multiprocessing, sys
from bakeoff.errors import StudyError
from tests.helpers.small import carry_out

def inside(paths):
    try:
        carry_out(*paths, models={"line": {"layers": []}}, baselines=[])
    except StudyError as error:
        return str(error)
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.map(inside, [sys.argv[1:3]])[0])
"""


def test_a_pool_is_told_that_it_is_one(npz, tmp_path):
    """B12: the message blamed a builder that was not there."""
    done = subprocess.run(
        [sys.executable, "-c", POOL, str(npz), str(tmp_path / "study")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == (
        "expected a process that may start others, found one of a multiprocessing.Pool, which may "
        "not: run the study in the main process, a thread, or a ProcessPoolExecutor\n"
    ), done.stderr
    assert not (tmp_path / "study").exists()


def test_a_run_leaves_its_process_as_it_was(npz, tmp_path, monkeypatch):
    """B12: its environment, its script's name."""
    before = dict(os.environ)
    main = vars(sys.modules["__main__"])
    named = main.get("__file__")
    small = {"models": {"line": {"layers": []}}, "baselines": [], "seeds": 1}
    carry_out(npz, tmp_path / "one", **small)
    learned = {name for name in os.environ if name.startswith("KMP_")}  # scikit-learn sets them
    assert {k: v for k, v in os.environ.items() if k not in learned - set(before)} == before
    assert main.get("__file__") == named
    # and one forked from it is told so, instead of waiting for a server that is not its own
    monkeypatch.setattr(fork_server, "_owner", [os.getpid() + 1])
    text = (
        "expected the process that ran a study before, or a new one, found one forked from it: run "
        "the study there, or start this process with multiprocessing's spawn method"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        fork_server.warm_up()
