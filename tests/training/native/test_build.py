"""The native library is compiled where there is a compiler, once, and errors are said.

Oracle: compilers that are scripts. Cost: 1 s. Run: pytest tests/training/native/test_build.py
"""

import hashlib
import os

import pytest

from bakeoff.training.native import build

SCRIPT = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *amx*) echo 'kernels.cc:1: error: no such thing' >&2; exit 1;; esac
while [ "$1" != -o ]; do shift; done
echo "made" > "$2"
"""


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Put a compiler in place that knows no AMX; return the log of its calls."""
    script, log = tmp_path / "cxx", tmp_path / "log"
    script.write_text(SCRIPT.format(log=log))
    script.chmod(0o755)
    log.touch()
    monkeypatch.setenv("CXX", str(script))
    monkeypatch.setattr(build, "FOLDER", tmp_path / "checkout")
    return log


def test_what_compiles_is_kept_and_what_does_not_is_said(compiler, tmp_path):
    errors = build.build(tmp_path / "lib", kind="x86_64")
    assert errors == {"amx": "kernels.cc:1: error: no such thing"}
    made = hashlib.sha256(b"made\n").hexdigest()
    manifest = build.read_manifest(tmp_path / "lib")
    assert manifest["files"] == {"avx2": made, "avx512": made}
    assert manifest["source"] == build.source_hash()
    names = {path.name for path in (tmp_path / "lib").iterdir()}
    assert names == {"avx2.so", "avx512.so", "manifest.json"}


def test_each_variant_has_flags_of_its_own_and_nothing_is_compiled_twice(compiler, tmp_path):
    build.build(tmp_path / "lib", kind="x86_64")
    calls = compiler.read_text().splitlines()
    assert ["-mavx512f" in call for call in sorted(calls, key=len)] == [False, True, True]
    assert ["-mamx-bf16" in call for call in sorted(calls, key=len)] == [False, False, True]
    (tmp_path / "cxx").write_text(SCRIPT.format(log=compiler).replace("*amx*", "none"))
    assert build.build(tmp_path / "lib", kind="x86_64") == {}
    (tmp_path / "lib" / "avx512.so").unlink()
    assert build.build(tmp_path / "lib", kind="x86_64") == {}
    assert build.build(tmp_path / "lib", kind="x86_64") == {}
    again = [call.partition("-o ")[2] for call in compiler.read_text().splitlines()[3:]]
    assert [path.rpartition("/")[2].split(".")[0] for path in again] == ["amx", "avx512"]
    assert sorted(build.read_manifest(tmp_path / "lib")["files"]) == ["amx", "avx2", "avx512"]


def test_a_wheel_takes_what_the_checkout_has_built(compiler, tmp_path):
    errors = build.build(build.FOLDER, kind="x86_64")
    assert build.build(tmp_path / "lib", kind="x86_64") == errors
    assert build.read_manifest(tmp_path / "lib") == build.read_manifest(build.FOLDER)
    assert len(compiler.read_text().splitlines()) == 3 + 1  # what had not compiled, once more


def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    reason = "no C++ compiler was found"
    assert build.build(tmp_path / "lib", kind="arm64") == {"neon": reason}
    assert build.read_manifest(tmp_path / "lib") == {}


def test_the_headers_are_those_of_the_installed_jaxlib(compiler, tmp_path):
    import jax.ffi

    assert str(build.headers()) == jax.ffi.include_dir()
    build.build(tmp_path / "lib", kind="arm64")
    assert f"-isystem {jax.ffi.include_dir()}" in compiler.read_text()
    assert not [path for path in build.SOURCE.rglob("*") if path.is_dir()]  # no copies of them


def test_without_jaxlib_the_kernels_are_left_out(compiler, tmp_path, monkeypatch):
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    reason = "no jaxlib, whose headers they need, was found"
    assert build.build(tmp_path / "lib", kind="arm64") == {"neon": reason}
    assert not (tmp_path / "lib").exists()


def test_a_compiler_may_be_named_with_options(compiler, tmp_path, monkeypatch):
    """U9: CXX="g++ -m64" was taken for the name of a file."""
    monkeypatch.setenv("CXX", f"{build.compiler()[0]} -m64 '-DNAME=two words'")
    assert build.compiler()[1:] == ("-m64", "-DNAME=two words")
    build.build(tmp_path / "lib", kind="arm64")
    assert compiler.read_text().startswith("-m64 -DNAME=two words -std=c++17 ")
    for wanted in ("no-such-compiler -m64", "g++ '"):
        monkeypatch.setenv("CXX", wanted)
        assert build.compiler() == ()


def test_what_a_killed_build_left_is_removed(compiler, tmp_path):
    """U9: scratch folders of builds that were killed stayed for ever."""
    old, young = tmp_path / "lib" / ".building-old", tmp_path / "lib" / ".building-young"
    for folder in (old, young):
        (folder / "inner").mkdir(parents=True)
    os.utime(old, (0, 0))
    build.build(tmp_path / "lib", kind="arm64")
    assert not old.exists()
    assert young.exists()  # another build may be at work in it


def test_a_processor_without_kernels(compiler, tmp_path):
    reason = "there are no kernels for riscv64"
    assert build.build(tmp_path / "lib", kind="riscv64") == {"native": reason}
