"""What the doctor says of a good machine and of bad ones; 2 s, a tiny trial included.

Run: pytest tests/cli/test_doctor.py
"""

import pytest

from bakeoff.cli import doctor, main
from bakeoff.cli.doctor import Diagnostic
from bakeoff.errors import StorageError
from bakeoff.storage.user_ledger import user_ledger
from bakeoff.study.executors.interface import Lost
from bakeoff.study.result import Result


def by_name(diagnostics):
    return {diagnostic.name: diagnostic for diagnostic in diagnostics}


@pytest.fixture
def no_trial(monkeypatch):
    monkeypatch.setattr(doctor, "_tiny_trial", lambda device: Diagnostic("good", "a trial", device))


@pytest.fixture
def only_digits(no_trial, monkeypatch):
    """Look at no other data set, which takes a second where MNIST is at hand."""
    monkeypatch.setattr(doctor.datasets, "NAMES", ("digits",))


def test_a_machine_that_is_ready(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    diagnostics = by_name(doctor.examine())
    assert [diagnostic for diagnostic in diagnostics.values() if diagnostic.state == "bad"] == []
    assert diagnostics["digits"].found == "1,797 images, inside scikit-learn"
    assert diagnostics["a trial"].found.startswith("trained on the ")
    assert diagnostics["libraries"].found.startswith("keras 3.")
    assert list(tmp_path.iterdir()) == []


def test_absent_data_is_a_note(monkeypatch, tmp_path, no_trial):
    for variable in ("HOME", "KERAS_HOME", "TORCH_HOME", "XDG_CACHE_HOME", "BAKEOFF_DATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    mnist = by_name(doctor.examine())["mnist"]
    assert mnist == Diagnostic(
        "note", "mnist", "not on this machine", "a run downloads it; see docs/data.md"
    )


def test_a_damaged_ledger_is_wrong(only_digits, capsys):
    ledger = user_ledger("0" * 64)
    ledger.parent.mkdir(parents=True)
    ledger.write_text("{}\n")
    assert main(["doctor"]) == 1
    assert f"✗ ledger: {ledger}: expected a ledger" in capsys.readouterr().out


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "studies"
    assert doctor._place("this folder", place, "use --out") == Diagnostic(
        "bad", "this folder", f"{place} cannot be written", "use --out"
    )


def test_a_trial_that_is_lost_is_wrong(monkeypatch):
    lost = Result(None, None, (Lost("tiny seed 0", "its worker process ended with code 1"),))
    monkeypatch.setattr(doctor, "run", lambda *_, **__: lost)
    assert doctor._tiny_trial("cpu") == Diagnostic(
        "bad",
        "a trial",
        "its worker process ended with code 1",
        "BAKEOFF_DEBUG=1 bakeoff doctor shows more",
    )


def test_a_system_that_cannot_train_is_wrong(only_digits, monkeypatch):
    monkeypatch.setattr(doctor.machine, "lacks", lambda: "expected this, found that: do so")
    found = {each.name: each for each in doctor.examine()}
    assert found["system"] == Diagnostic("bad", "system", "expected this, found that: do so")


def test_a_user_without_a_home_is_told_so_once_and_the_rest_is_looked_at(only_digits, monkeypatch):
    def nowhere(test_hash):
        raise StorageError("expected a home folder, found none: set HOME")

    monkeypatch.setattr(doctor, "user_ledger", nowhere)
    found = {each.name: each for each in doctor.examine()}
    assert found["ledgers"] == Diagnostic(
        "bad", "ledgers", "expected a home folder, found none: set HOME"
    )
    assert found["digits"].state == "good"


def test_little_memory_is_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "available_memory", lambda: 10**9)
    assert doctor._memory() == Diagnostic(
        "note", "memory", "1.0 GB free", "use --workers 1, or free some"
    )
