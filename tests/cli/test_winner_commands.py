"""The commands that use a trained model, in this process.

Oracle: docs/commands.md, and whole lines. Cost: 5 s with the suite's finished study.

Run: pytest tests/cli/test_winner_commands.py
"""

import os
import shutil
import socket
import sys

import pytest

from bakeoff.cli import main


def test_what_cannot_be_served(finished_study, tmp_path, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(finished_study), "--port", str(port)]) == 2
        assert capsys.readouterr().err == (
            f"bakeoff: expected a free port, found 127.0.0.1:{port} refused (address already in "
            "use): choose another with --port\n"
        )
    assert main(["serve", str(finished_study), "--host", "192.0.2.1"]) == 2  # kept for examples
    assert capsys.readouterr().err == (
        "bakeoff: expected an address of this machine, found 192.0.2.1:8000 refused (cannot assign "
        "requested address): choose another with --host\n"
    )
    assert main(["serve", str(tmp_path)]) == 2
    assert "expected a study's folder, found no study.json in it" in capsys.readouterr().err
    assert main(["serve", str(finished_study), "--model", "cnn"]) == 2
    assert capsys.readouterr().err.endswith("expected a model (mlp, line), found 'cnn'\n")
    words = ["serve", str(finished_study), "--port", "0"]
    assert main([*words, "--seed", "9"]) == 2  # was a traceback, and 3
    assert capsys.readouterr().err.endswith("expected a trained seed of mlp (0 and 1), found 9\n")
    for name in ("http://a.org", "a.org:80", "a.org/x", "a b", "*.a.org"):
        assert main(["serve", str(finished_study), "--allow-host", name]) == 2
        assert capsys.readouterr().err == (
            "bakeoff: --allow-host: expected a host's name without scheme, port and path, as in "
            f"digits.example.org, found {name!r}\n"
        )
    assert main(["serve", str(finished_study), "--port", "70000"]) == 2
    assert capsys.readouterr().err == (
        "bakeoff: --port: expected a whole number from 0 to 65,535, found 70000\n"
    )
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", str(finished_study)]) == 2
    assert capsys.readouterr().err.endswith("pip install 'bakeoff[serve]'\n")


@pytest.mark.parametrize("damaged", ["openings/1/mlp/seed-1.npy", "trials/mlp/seed-1/history.csv"])
def test_a_damaged_study_is_not_served(finished_study, tmp_path, capsys, damaged):
    """With --model only the network was looked at first: a traceback, and exit code 0."""
    study = tmp_path / "study"
    shutil.copytree(finished_study, study)
    (study / damaged).write_bytes(b"x" + (study / damaged).read_bytes())
    assert main(["serve", str(study), "--model", "mlp", "--seed", "0", "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"bakeoff: {study / damaged}: expected the bytes that were recorded")
    assert said.count("\n") == 1


def test_eject_says_what_to_run(finished_study, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["eject", str(finished_study), "--model", "mlp", "--notebook"]) == 0
    assert capsys.readouterr().out == (
        "tiny-mlp/train.ipynb written. Run it in tiny-mlp; change it as you like.\n"
    )
    assert sorted(os.listdir("tiny-mlp")) == ["split.npz", "train.ipynb"]


def test_export_again_replaces_the_folder(tiny_study, capsys):
    for _ in range(2):  # the second replaces the first
        assert main(["export", str(tiny_study), "--format", "onnx", "--model", "line"]) == 0
        assert "checked without Bakeoff on 288 validation images" in capsys.readouterr().out
    assert [path.name[:10] for path in (tiny_study / "exports").iterdir()] == ["line-seed-"]
    assert main(["verify", str(tiny_study)]) == 0
