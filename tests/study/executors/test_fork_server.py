"""The fork server's surroundings: what is changed for a moment, and put back.

tests/study/test_environment.py runs studies in hostile environments.

Oracle: by hand. Cost: nothing. Run: pytest tests/study/executors/test_fork_server.py
"""

import copy
import multiprocessing as mp
import multiprocessing.context
import multiprocessing.spawn
import os
import re
import signal
import subprocess
import sys
import tempfile

import pytest

from bakeoff.errors import BakeoffError, StorageError, StudyError
from bakeoff.study.executors import fork_server


def test_what_would_change_networks_is_left_out_and_comes_back(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--odd")
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MINE", "kept")
    before = dict(os.environ)
    with fork_server._environment():
        assert not {"XLA_FLAGS", "JAX_ENABLE_X64"} & {*os.environ}
        assert os.environ["OMP_NUM_THREADS"] == "1"
        assert os.environ["MINE"] == "kept"
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert dict(os.environ) == before


@pytest.mark.parametrize("own", [None, "glibc.malloc.hugetlb=0"])
def test_large_pages_are_asked_for_unless_the_user_says_otherwise(own, monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if own is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    with fork_server._environment():
        *_, last = os.environ["GLIBC_TUNABLES"].split(":")
        assert last == (own or "glibc.malloc.hugetlb=1")
    assert os.environ.get("GLIBC_TUNABLES") == own


def test_the_users_script_is_hidden_and_comes_back(monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__file__", "mine.py", raising=False)
    with fork_server._hidden_main():
        assert main.__file__ is None and main.__spec__ is None
    assert main.__file__ == "mine.py"


def test_a_script_from_standard_input_or_c_has_nothing_to_hide(monkeypatch):
    main = sys.modules["__main__"]
    for name in ("__file__", "__spec__"):
        monkeypatch.delattr(main, name, raising=False)
    before = dict(vars(main))
    with fork_server._hidden_main():
        assert main.__file__ is None and main.__spec__ is None
    assert vars(main) == before


def test_a_fork_server_that_does_not_answer_is_not_waited_for(monkeypatch):
    with subprocess.Popen(["sleep", "100"]) as server:
        monkeypatch.setattr(fork_server.forkserver._forkserver, "_forkserver_pid", server.pid)
        text = (
            "expected worker processes that import Keras and JAX, found none for 0.1 s: see "
            "whether the disk with Python's packages answers"
        )
        with (
            pytest.raises(BakeoffError, match=f"^{re.escape(text)}$"),
            fork_server._answering(0.1),
        ):
            server.wait()  # as the other end of its pipe would be closed
            raise EOFError
    text = "expected worker processes that import Keras and JAX, found that they end at once: "
    with pytest.raises(BakeoffError, match=f"^{text}"), fork_server._answering(100):
        raise ConnectionResetError


def test_ctrl_c_is_blocked_meanwhile():
    def blocked():
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    before = blocked()
    with fork_server._deaf_to_ctrl_c():
        assert blocked()
    assert blocked() is before


def test_a_long_folder_for_temporary_files_gives_way_to_a_short_one(monkeypatch):
    long = "/" + "x" * 70
    monkeypatch.setattr(tempfile, "tempdir", long)
    with fork_server._short_names():
        assert len(tempfile.gettempdir()) <= 60
    assert tempfile.tempdir == long
    monkeypatch.setattr(fork_server.os.path, "isdir", lambda place: False)
    text = f"{long}: expected a folder for temporary files with a name of at most 60 characters"
    with pytest.raises(StorageError, match=f"^{re.escape(text)}"), fork_server._short_names():
        pass


def test_a_process_that_was_forked_from_one_with_a_server_is_refused(monkeypatch):
    monkeypatch.setattr(fork_server, "_owner", [os.getpid() + 1])
    text = "expected the process that ran a study before, or a new one, found one forked from it"
    with pytest.raises(StudyError, match=f"^{re.escape(text)}"):
        fork_server._require_own_server()
    monkeypatch.setattr(fork_server, "_owner", [])
    fork_server._require_own_server()
    assert fork_server._owner == [os.getpid()]


EARLY = """
import os, signal
from bakeoff.study.executors import fork_server
fork_server._IMPORTED = ()
with fork_server.begun_early(wanted=False):
    assert fork_server._server() is None
with fork_server.begun_early(wanted=True):
    refused = fork_server._server()
print(os.waitstatus_to_exitcode(os.waitpid(refused, 0)[1]) == -signal.SIGKILL)
fork_server.forkserver._forkserver._forkserver_pid = None
with fork_server.begun_early(wanted=True):
    fork_server.start_process(print, ("a worker",)).join()
kept = fork_server._server()
with fork_server.begun_early(wanted=True):
    pass
print(kept != refused, os.waitpid(kept, os.WNOHANG))
"""


def test_a_server_begun_early_ends_where_nobody_asked_it_for_a_worker():
    done = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["True", "a worker", "True (0, 0)", ""]


def test_a_worker_is_not_told_of_joblibs_start_method(monkeypatch):
    """cross_val_score(Classifier, …, n_jobs=2) lost every trial, with a traceback for each."""
    theirs = copy.copy(mp.get_context("spawn"))
    monkeypatch.setattr(theirs, "_name", "loky", raising=False)
    monkeypatch.setitem(mp.context._concrete_contexts, "loky", theirs)
    before = mp.get_start_method(allow_none=True)
    mp.set_start_method("loky", force=True)
    try:
        with fork_server._known_method():
            told = mp.spawn.get_preparation_data("worker")["start_method"]
        assert told == "forkserver" and mp.get_start_method() == "loky"
    finally:
        mp.set_start_method(before, force=True)
