"""Which variant of the native library is used, and that whatever is wrong with it costs nothing.

Oracle: libraries that crash, are damaged, foreign, or not permitted; a study that trains with each.
Cost: 25 s. Run: pytest tests/training/native/test_load.py
"""

import hashlib
import json
import re
import shutil
import subprocess

import pytest

from bakeoff import recipe as recipes
from bakeoff.errors import UsageError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.executors import local_processes
from bakeoff.study.retrain import retrain
from bakeoff.study.run import run as run_study
from bakeoff.training.native import build, load
from bakeoff.utils.events import Watcher
from bakeoff.utils.user_paths import user_cache
from tests.helpers.jobs import Listener


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Which libraries were tested is not known there; programs compiled by earlier runs are."""
    programs = user_cache()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if programs is not None:
        (tmp_path / "cache" / "bakeoff").mkdir(parents=True)
        (programs / "programs").mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / "bakeoff" / "programs").symlink_to(programs / "programs")
    monkeypatch.delenv(load.SWITCH, raising=False)
    monkeypatch.setattr(local_processes, "_REMARKS", set())


@pytest.fixture
def folder(native_folder, tmp_path):
    """Return a copy of the native library to do anything to."""
    if not load.usable_variants():
        pytest.skip("no variant runs on this processor")
    return shutil.copytree(native_folder, tmp_path / "lib")


def record(folder, name):
    """Write the hash of a file into the manifest, as if it had been built so."""
    manifest = build.read_manifest(folder)
    manifest["files"][name] = hashlib.sha256((folder / f"{name}.so").read_bytes()).hexdigest()
    (folder / build.MANIFEST).write_text(json.dumps(manifest))


def test_the_best_variant_is_chosen_and_tested_once(folder, monkeypatch):
    tested = []
    plain = load._test
    monkeypatch.setattr(load, "_test", lambda path: tested.append(path) or plain(path))
    best = load.usable_variants()[-1]
    for _ in range(2):
        assert load.choose(folder) == load.Choice(best, folder / f"{best}.so")
    assert tested == [folder / f"{best}.so"]


def test_a_library_that_did_not_work_once_is_asked_again(folder, monkeypatch):
    """B13: on a disk that ran no programs, "run it again" stood there for ever."""
    *others, best = load.usable_variants()
    plain = load._test
    monkeypatch.setattr(load, "_test", lambda path: None if best not in path.name else "noexec")
    remark = f"the native kernels for {best} are not used: noexec"
    assert load.choose(folder).remark == remark
    assert load.choose(folder).kernels == (others or ["plain"])[-1]
    monkeypatch.setattr(load, "_test", plain)
    assert load.choose(folder) == load.Choice(best, folder / f"{best}.so")


def test_the_switch_names_the_best_that_may_be_used(folder, monkeypatch):
    for name in load.usable_variants():
        monkeypatch.setenv(load.SWITCH, name)
        assert load.choose(folder).kernels == name
    monkeypatch.setenv(load.SWITCH, "plain")
    assert load.choose(folder) == load.Choice()
    monkeypatch.setenv(load.SWITCH, "native")
    able = ", ".join(("plain", *load.usable_variants()))
    text = f"BAKEOFF_CPU: expected {able} on this processor, found native"
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        load.choose(folder)


@pytest.mark.parametrize(
    ("flags", "variants"),
    [
        ("sse2 avx", ()),
        ("avx2 fma bmi1 bmi2 f16c abm", ("avx2",)),
        ("avx2 fma bmi1 bmi2 f16c abm avx512f", ("avx2",)),
        ("avx512f avx512bw avx512cd avx512dq avx512vl amx_tile amx_bf16", ()),
        (
            "avx2 fma bmi1 bmi2 f16c abm avx512f avx512bw avx512cd avx512dq avx512vl",
            ("avx2", "avx512"),
        ),
    ],
)
def test_what_the_processor_cannot_run_is_not_chosen(flags, variants, monkeypatch):
    monkeypatch.setattr(load, "abilities", lambda: frozenset(flags.split()))
    monkeypatch.setattr(build, "machine", lambda: "x86_64")
    assert load.usable_variants() == variants


def test_an_unknown_processor_takes_the_plain_path(folder, monkeypatch):
    monkeypatch.setattr(build, "machine", lambda: "riscv64")
    text = "there are no native kernels for this processor (riscv64)"
    assert load.choose(folder) == load.Choice(remark=text)


def test_without_a_library_the_plain_path_is_used_and_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "compiler", lambda: ("/usr/bin/c++",))
    text = (
        "there are no native kernels in this installation: install Bakeoff again (pip install), "
        "which builds them"
    )
    assert load.choose(tmp_path) == load.Choice(remark=text)
    monkeypatch.setattr(build, "compiler", tuple)
    text = (
        "there are no native kernels in this installation: install a C++ compiler, then Bakeoff "
        "again"
    )
    assert load.choose(tmp_path) == load.Choice(remark=text)


def test_a_library_that_is_older_than_its_source_is_not_used(folder, monkeypatch):
    monkeypatch.setattr(build, "source_hash", lambda: "0" * 64)
    found = load.choose(folder)
    assert found.path is None
    assert found.remark.startswith("the native kernels are older than their source: ")


def truncated(path):
    path.write_bytes(path.read_bytes()[:5000])


def foreign(path):
    path.write_text("no library")


def gone(path):
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (truncated, "{}.so is not the file that was built"),
        (foreign, "{}.so is not the file that was built"),
        (gone, "{}.so cannot be read (No such file or directory)"),
    ],
)
def test_a_damaged_file_gives_way_to_the_next_best(spoil, problem, folder):
    """B13: every trial died of signal 7, and nothing named the kernels."""
    *others, best = load.usable_variants()
    spoil(folder / f"{best}.so")
    found = load.choose(folder)
    assert found.kernels == (others or ["plain"])[-1]
    assert found.broken
    assert found.remark == (f"the native kernels for {best} are not used: {problem.format(best)}")


SPOILT = {
    'extern "C" int bakeoff_self_test() { __builtin_trap(); }': "a test of it died of signal 4",
    'extern "C" int bakeoff_self_test() { return *(volatile int*)0; }': "a test of it died of "
    "signal 11",
    'extern "C" int bakeoff_self_test() { return 1; }': "it computes wrong results",
    'extern "C" int bakeoff_self_test() { return 2; }': "the system does not permit AMX",
}


@pytest.mark.parametrize("source", SPOILT)
def test_a_library_that_does_not_work_never_reaches_a_worker(source, folder, tmp_path):
    if not build.compiler():
        pytest.skip("there is no C++ compiler")
    *others, best = load.usable_variants()
    (tmp_path / "bad.cc").write_text(source)
    command = [*build.compiler(), "-shared", "-fPIC", "-O0", str(tmp_path / "bad.cc"), "-o"]
    subprocess.run([*command, str(folder / f"{best}.so")], check=True)
    record(folder, best)
    found = load.choose(folder)
    assert found.kernels == (others or ["plain"])[-1]
    assert found.remark == f"the native kernels for {best} are not used: {SPOILT[source]}"


def test_a_file_that_is_no_library_is_named_by_the_system(folder):
    *others, best = load.usable_variants()
    foreign(folder / f"{best}.so")
    record(folder, best)
    found = load.choose(folder)
    assert found.kernels == (others or ["plain"])[-1]
    assert f"{best}.so" in found.remark  # "invalid ELF header", or as the system says it


def test_a_library_without_its_functions_is_refused_when_loaded(tmp_path):
    (tmp_path / "bad.so").write_text("no library")
    remark = load.load(load.Choice("avx2", tmp_path / "bad.so"))
    assert remark.startswith("the native kernels for avx2 are not used: ")
    assert load.in_use() == "plain"


CNN = """
name: cnn
data: digits
seeds: 1
baselines: []
training: {epochs: 2}
models:
  cnn:
    layers:
      - conv2d: {filters: 8, kernel_size: 3, activation: relu}
      - max_pooling2d: 2
      - dense: {units: 64, activation: relu}
"""


def carried_out(tmp_path, watcher):
    (tmp_path / "cnn.yaml").write_text(CNN)
    recipe = recipes.load(tmp_path / "cnn.yaml")
    run_study(recipe, out=tmp_path / "cnn", keep_sealed=True, watcher=watcher)
    return StudyFolder(tmp_path / "cnn")


def test_a_study_says_which_kernels_it_used_and_repeats_bit_for_bit(
    native_choice, tmp_path, monkeypatch
):
    monkeypatch.setattr(local_processes.native, "choose", lambda: native_choice)
    monkeypatch.setattr("bakeoff.study.environment.choose", lambda: native_choice)
    study = carried_out(tmp_path, Watcher())
    assert study.read_study()["environment"]["kernels"] == native_choice.kernels
    assert retrain(study, "cnn:0", watcher=Watcher()).files == ()
    monkeypatch.setattr(local_processes.native, "choose", load.Choice)
    monkeypatch.setattr("bakeoff.study.environment.choose", load.Choice)
    plain = retrain(study, "cnn:0", watcher=Watcher())
    assert f"kernels {native_choice.kernels}, now plain" in plain.environment
    assert "weights.safetensors" in str(plain.files)


def test_a_kernel_that_crashes_while_it_trains_costs_one_remark(
    native_choice, tmp_path, monkeypatch
):
    """Its handlers are looked up, but each is a function that traps."""
    if not build.compiler():
        pytest.skip("there is no C++ compiler")
    names = [f"bakeoff_{name}" for name in load._FUNCTIONS]
    traps = "".join(f'extern "C" void* {name}(void*) {{ __builtin_trap(); }}\n' for name in names)
    traps += 'extern "C" bool bakeoff_tiles() { return false; }\n'
    (tmp_path / "bad.cc").write_text(traps)
    bad = tmp_path / "bad.so"
    command = [*build.compiler(), "-shared", "-fPIC", str(tmp_path / "bad.cc"), "-o", str(bad)]
    subprocess.run(command, check=True)
    crashing = load.Choice("avx2", bad)
    monkeypatch.setattr(local_processes.native, "choose", lambda: crashing)
    listener = Listener()
    study = carried_out(tmp_path, listener)
    assert study.finished() == {"cnn": [0]}
    remarks = [text for text in listener.of("note") if "native kernels" in text]
    assert remarks == [
        "a worker crashed with the native kernels for avx2; trials go on without them, slower"
    ]
