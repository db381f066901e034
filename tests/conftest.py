"""Fixtures: a seeded generator, the bundled digits, MNIST where it is at hand, a finished study.

No test writes in the ledgers of whoever runs it, or uses native kernels that are not its own.
"""

import gc
import importlib
import itertools
import os
import random
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from bakeoff import data
from bakeoff.errors import ChecksumMismatch, DataError
from bakeoff.study.executors import fork_server, local_processes
from bakeoff.study.executors.process_watch import holds_less_than
from bakeoff.training.native import build
from bakeoff.training.native import load as native
from bakeoff.utils import machine
from bakeoff.utils.machine import available_memory, cores
from bakeoff.utils.user_paths import prune, user_cache
from tests.helpers.undrawn import leave_figures_out

# XLA compiles a program of a test three times as fast like this, and most of a test's time is
# that. Workers do not hear of it: whole studies run what users run.
_SOON_COMPILED = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
os.environ.setdefault("XLA_FLAGS", _SOON_COMPILED)

# And it finds those of earlier runs here, of other checkouts too, as a worker finds the user's.
# Older ones are deleted.
_PROGRAMS = (user_cache() or Path(__file__).parents[1] / ".pytest_cache") / "programs-of-tests"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_PROGRAMS))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

# Where the environment says that no bytecode is to be kept, each process compiles all it imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_SERVER_IMPORTS = fork_server._IMPORTED
_MUCH = 2 << 30  # bytes of a process
_may_hold = [_MUCH]  # before it forgets compiled programs
_language: list[object] = []  # MLIR's context, which JAX makes for each program

# Where tests write, and what they start: none of it waits for a disk, 5 to 9 ms a file.
_MEMORY = Path("/dev/shm")

# About 8 s of a processor and more, those that also wait the earlier; the longest first.
_LONGEST = (
    *("test_keras_parity", "test_run", "test_multi_trial", "test_serve", "test_commands"),
    *("test_torture", "test_notebooks", "test_feature_jobs", "test_tutorial", "test_ray_cluster"),
    *("test_html_page", "test_eject", "test_hostile", "test_findings_real", "test_random_recipes"),
    *("test_seal", "test_extend", "test_user_builder", "test_package", "test_python"),
    *("test_calibration", "test_environment", "test_export", "test_backbones", "test_architecture"),
    *("test_replace", "test_convolution", "test_pooling", "test_multi_trial_job", "test_load"),
    *("test_predictions", "test_backbone_in_network", "test_benchmarks", "test_ops", "test_verify"),
    "test_cross_validation",
)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # once for all processes
        prune(_PROGRAMS, most=1 << 30)
        if "TMPDIR" not in os.environ and _holds_much(_MEMORY):
            os.environ["TMPDIR"] = str(_MEMORY)
            tempfile.tempdir = None  # asked again
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # in workers, which share the cores


def _holds_much(folder):
    """Say whether the tests' files fit into a folder in memory, and may be executed there."""
    try:
        found = os.statvfs(folder)
    except (OSError, AttributeError):  # not on Linux
        return False
    room = min(found.f_bavail * found.f_frsize, available_memory() - 3 * _MUCH)
    return room >= _MUCH and not found.f_flag & os.ST_NOEXEC


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Start a process for each core: one more costs 8 s of imports, and compiles what others do."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else cores()


def pytest_runtest_teardown(item, nextitem):
    """Between files, spare what there is from looking for garbage, which Keras and others ask for.

    Forget compiled programs once they take much memory, and again once they take a quarter more:
    what is freed is not given back to the system.
    """
    if nextitem is not None and nextitem.path == item.path:
        return
    if "jax" in sys.modules and not holds_less_than(_may_hold[0], os.getpid()):
        sys.modules["jax"].clear_caches()
        _language.clear()
        gc.unfreeze()
        gc.collect()
        while not holds_less_than(_may_hold[0], os.getpid()):
            _may_hold[0] += _MUCH // 4
        _may_hold[0] += _MUCH // 4
    gc.freeze()


def _one_language(lowering):
    """Let programs be written in one MLIR context: making one takes half a small program's time.

    Only those of the main thread, since a context is not made for writing in it twice at once.
    """
    make = getattr(lowering, "make_ir_context", None)
    if make is None:  # another JAX: programs take longer
        return

    def make_once():
        if threading.current_thread() is not threading.main_thread():
            return make()
        if not _language:
            _language.append(make())
        return _language[0]

    lowering.make_ir_context = make_once


def pytest_sessionfinish():
    """Look through all of it once: what was left open is an error. End the browser."""
    if "tests.helpers.browser" in sys.modules:
        sys.modules["tests.helpers.browser"].close()
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Import all tests without looking for garbage, which takes 1.5 s of 8, a process.

    And without matplotlib, 0.7 s, which Keras takes along and no test needs.
    """
    gc.disable()
    if any(Path(each).name in ("tests", "training") for each in session.config.args):
        importlib.import_module("bakeoff.training.lean_keras")
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(config, items):
    """Begin with the files that take longest, where processes share them out: none is the last."""
    if hasattr(config, "workerinput"):
        place = {name: number for number, name in enumerate(_LONGEST)}
        items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish():
    """Spare what is imported: looking through it takes 0.3 s, as often as someone collects garbage.

    Python does so while a model is traced, statsmodels at each correction for several tests. What
    is made later is looked through a tenth as often as usual, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(7_000, 10, 20)
    if "jax._src.interpreters.mlir" in sys.modules:
        _one_language(sys.modules["jax._src.interpreters.mlir"])


@pytest.fixture(scope="session", autouse=True)
def _no_power_cuts():
    """Let nobody here wait for the disk, 9 ms a file: what outlasts a power cut is not tried."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _measured_at_once():
    """Let estimates of time go by one product of matrices, not by those of 0.2 s each time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(machine, "_RATE_SECONDS", 0.01)
        yield


@pytest.fixture(scope="session")
def server_imports():
    """Return what the fork server imports for users."""
    return _SERVER_IMPORTS


@pytest.fixture(scope="session", autouse=True)
def _workers_with_sklearn():
    """Let it import scikit-learn, too: each worker that fits a baseline does so otherwise."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fork_server, "_IMPORTED", (*_SERVER_IMPORTS, "sklearn.linear_model"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _plain_kernels(_homes):
    """Use plain kernels, and no ledger of the user's, in fixtures of modules and of the session.

    A ledger that is there knows studies of earlier runs, whose folders had the same names.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(native.SWITCH, "plain")
        patched.setenv("BAKEOFF_HOME", str(_homes()))
        yield


@pytest.fixture(scope="session")
def _homes(tmp_path_factory):
    """Return a function that makes an empty folder; pytest's own looks through all others first."""
    place, number = tmp_path_factory.mktemp("homes"), itertools.count()

    def make():
        home = place / str(next(number))
        home.mkdir()
        return home

    return make


@pytest.fixture(autouse=True)
def _own_home(_homes, monkeypatch):
    monkeypatch.setenv("BAKEOFF_HOME", str(_homes()))
    monkeypatch.setenv(native.SWITCH, "plain")


@pytest.fixture(scope="module")
def module_home(_homes):
    """Give studies that a whole module shares a ledger that knows no others."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEOFF_HOME", str(_homes()))
        yield


@pytest.fixture(scope="session")
def npz(tmp_path_factory):
    """A data set that trains in a second."""
    from tests.helpers.small import write_npz

    return write_npz(tmp_path_factory.mktemp("small") / "small.npz")


@pytest.fixture
def figures_undrawn(monkeypatch):
    """Leave out the figures of reports, in this process."""
    leave_figures_out(monkeypatch.setattr)


@pytest.fixture
def drawn_by_numpy(monkeypatch):
    """Let NumPy draw the initial weights of Keras's layers."""
    from tests.helpers.drawn import draw_by_numpy

    draw_by_numpy(monkeypatch.setattr)


@contextmanager
def _jobs_in_process():
    from tests.helpers import in_process

    with pytest.MonkeyPatch.context() as patched:
        leave_figures_out(patched.setattr)
        for module in ("executors.choose", "retrain"):
            patched.setattr(f"bakeoff.study.{module}.run_jobs", in_process.run_jobs)
        in_process.keep_programs(patched)
        yield


@pytest.fixture(scope="module")
def jobs_in_process():
    """Do the jobs of a module's studies in this process; leave the pictures of reports out."""
    with _jobs_in_process():
        yield


@pytest.fixture
def its_jobs_in_process():
    """Do the same during one test."""
    with _jobs_in_process():
        yield


@pytest.fixture
def real_workers(monkeypatch):
    """Do a test's jobs in workers all the same."""
    monkeypatch.setattr("bakeoff.study.executors.choose.run_jobs", local_processes.run_jobs)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def digits():
    return data.load("digits")


@pytest.fixture(scope="session")
def mnist():
    try:
        return data.load("mnist", offline=True)
    except ChecksumMismatch:
        raise
    except DataError as error:
        pytest.skip(f"MNIST is not at hand: {error}")


TINY = """
name: tiny
title: Two tiny networks
data: digits
seeds: 2
training: {epochs: 2}
models:
  mlp: {layers: [{dense: 16}, {dropout: 0.1}]}
  line: {layers: []}
"""


def _made_once(tmp_path_factory, name, make):
    """Return a folder that `make` fills, once for all processes of this run of the tests."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of the folders of all workers
    folder, done = base / name, base / f"{name}.done"
    with FileLock(base / f"{name}.lock"):
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory):
    """Return the folder of a study that was carried out, with its recipe beside it; read only."""
    from bakeoff import recipe
    from bakeoff.study.run import run

    def carry_out(folder):
        (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("BAKEOFF_HOME", str(folder / "home"))
            patched.setenv(native.SWITCH, "plain")
            run(recipe.load(folder / "tiny.yaml"), out=folder / "tiny")

    return _made_once(tmp_path_factory, "finished", carry_out) / "tiny"


@pytest.fixture
def tiny_study(finished_study, tmp_path, monkeypatch):
    """Return a copy of the finished study to do anything to; the user's ledger knows it."""
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "home"))
    shutil.copytree(finished_study.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / "tiny"


@pytest.fixture
def call(capsys):
    """Return a function that runs a command line here: (exit code, standard output, error)."""
    from bakeoff.cli import main

    def call(*words):
        code = main([str(word) for word in words])
        return code, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def native_folder(tmp_path_factory):
    """Return the folder of the native library: the installed one, or one built for this session."""
    if build.read_manifest(build.FOLDER).get("source") == build.source_hash():
        return build.FOLDER
    if not build.compiler():
        pytest.skip("there is no C++ compiler")

    def compile_all(folder):
        assert build.build(folder) == {}

    return _made_once(tmp_path_factory, "kernels", compile_all)


@pytest.fixture(scope="session")
def native_choice(native_folder):
    """Return the best variant of the native library for this processor."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv(native.SWITCH, raising=False)
        choice = native.choose(native_folder)
    if choice.path is None:
        pytest.skip(str(choice.remark))
    return choice


@pytest.fixture(scope="session")
def variant_files(native_folder, tmp_path_factory):
    """Return the native library's file of every variant that this processor can run, {name: path}.

    With AVX-512 and a compiler AMX is among them: in software where the processor has none.
    """
    files = {name: native_folder / f"{name}.so" for name in native.usable_variants()}
    if "avx512" in files and "amx" not in files and build.compiler():
        made = _made_once(tmp_path_factory, "software", _compile_tiles_in_software)
        files["amx"] = made / "amx.so"
    return files


def _compile_tiles_in_software(folder):
    header = Path(__file__).with_name("training") / "native" / "tiles_in_software.h"
    flags = (*build._AVX2, *build._AVX512, "-include", str(header))
    assert build._compile(build.compiler(), build.headers(), flags, folder / "amx.so") is None


@pytest.fixture
def use_variant(variant_files, monkeypatch):
    """Return a function that lets this process use a variant, during one test."""

    def use(name):
        if name not in variant_files:
            pytest.skip(f"the processor has no {name}")
        monkeypatch.setattr(native, "_loaded", [])
        assert native.load(native.Choice(name, variant_files[name])) is None

    return use


@pytest.fixture
def native_kernels(native_choice, monkeypatch):
    """Let this process use the native kernels, during one test."""
    monkeypatch.setattr(native, "_loaded", [])
    assert native.load(native_choice) is None


@pytest.fixture(params=["plain", "native"])
def kernels(request):
    """Do a test with the plain kernels and with the native ones, on the same initial weights."""
    random.seed(0)  # Keras draws their seeds by it
    if request.param == "native":
        request.getfixturevalue("native_kernels")
    return request.param
