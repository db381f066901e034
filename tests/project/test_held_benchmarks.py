"""Who takes part on which processor, who is held to AVX2, and the pages of several machines.

Oracles: hand arithmetic on a made-up journal; the switches of the libraries as they name them; what
a made-up processor can do. No other framework is needed. Cost: 3 s.
Run: pytest tests/project/test_held_benchmarks.py
"""

import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import jaxlib
import pytest

from bakeoff.recipe.architecture import describe
from benchmarks import __main__ as command
from benchmarks import accuracy, contestants, speed, summary, targets, workloads
from benchmarks.contestants import BY_NAME, CONTESTANTS, Arrangement
from benchmarks.journal import Journal
from benchmarks.opponents import held
from benchmarks.page import limits, others, page
from benchmarks.workloads import WORKLOADS, Declared, Workload

WITHOUT_TILES, WITH_TILES = ("avx2", "avx512"), ("avx2", "avx512", "amx")
MODEL_8 = next(each for each in WORKLOADS if each.name == "model-8")
MACHINE = {
    "processor": "A processor",
    "cores": 2,
    "memory_bytes": 2**34,
    "platform": "Linux",
    "python": "3.11",
}
PACES = {  # steps a second
    "bakeoff": 500,
    "bakeoff-avx512": 600,
    "bakeoff-avx2": 300,
    "keras-jax": 500,
    "keras-jax-avx2": 200,
    "torch-loop": 400,
    "torch-loop-avx2": 300,
    "products": 1000,
    "products-avx2": 400,
}


@cache
def declared(workload: Workload) -> Declared:
    """What `workloads.declared` gives, without reading the images."""
    model = workloads.load(workload.recipe).models[workload.model]
    shape = workloads.input_shape(workload.recipe)
    return Declared(model, describe(model, shape, 10), shape, 10, 60_000)


@pytest.fixture(autouse=True)
def no_images(monkeypatch):
    for module in (accuracy, speed, summary):
        monkeypatch.setattr(module, "declared", declared)


@pytest.fixture
def able(monkeypatch):
    def to(*variants):
        monkeypatch.setattr(contestants, "usable_variants", lambda: variants)

    to(*WITHOUT_TILES)
    return to


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal.jsonl", identity="this")


def fill(journal, paces=PACES):
    for name, pace in paces.items():
        where = {"workload": "model-8", "contestant": name}
        started = {"arrangement": {"processes": 2, "threads": 1}, "settings": {}}
        journal.append("start", **where, **started, start_seconds=3.0, warm_seconds=4.0)
        large = {"operations": 100_000_000, "large_per_second": pace * 2e8}
        extra = large if BY_NAME[name].is_limit else {}
        for repeat in range(3):
            journal.append("repeat", **where, repeat=repeat, steps=3 * pace, seconds=3.0, **extra)


def summarised(journal, **more):
    return summary.summarise(journal, machine=MACHINE, versions={"keras": "3.15.1"}, **more)


def ours(document):
    return {each["name"]: each for each in document["workloads"][0]["ours"]}


# ── who takes part ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("variants", "ours", "held"),
    [
        ((), ["bakeoff"], 0),
        (("neon",), ["bakeoff", "bakeoff-native"], 0),
        (("avx2",), ["bakeoff", "bakeoff-avx2"], 0),
        (WITHOUT_TILES, ["bakeoff", "bakeoff-avx512", "bakeoff-avx2"], 6),
        (WITH_TILES, ["bakeoff", "bakeoff-native", "bakeoff-avx512", "bakeoff-avx2"], 6),
    ],
)
def test_nobody_takes_part_twice_nor_where_its_processor_is_another(able, variants, ours, held):
    able(*variants)
    found = contestants.entered(declared(MODEL_8))
    assert [each.name for each in found if each in contestants.OURS] == ours
    opponents = {each.free for each in found if each.held and each.free}
    families = {each.name for each in CONTESTANTS if each.family and not each.free}
    assert opponents == ({*families, "products"} if held else set())
    assert len(opponents) == held
    names = ["bakeoff-native", "keras-jax-avx2"]
    chosen = [each.name for each in contestants.entered(declared(MODEL_8), names)]
    assert chosen == [each.name for each in found if each.name in names]


def test_whoever_is_held_has_the_switches_of_all_libraries_and_nobody_else(able, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    switches = {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "BENCHMARKS_HOLD_YNNPACK": "1",
    }
    alone = "--xla_cpu_max_isa=AVX2"
    without = f"{alone} --xla_cpu_experimental_ynn_fusion_type="
    held = [each for each in CONTESTANTS if each.held]
    assert [each.label for each in held][:2] == [
        "Bakeoff, AVX2",
        "Keras fit on TensorFlow, held to AVX2",
    ]
    for each in held:
        found = each.environment(2)
        xla = without if each.backend in ("tensorflow", "torch") else alone
        assert found["XLA_FLAGS"] == xla
        assert switches.items() <= found.items()
        if each.free:
            free = BY_NAME[each.free]
            assert each.family == free.family and each.command() == free.command()
            assert found.items() - free.environment(2).items() == {
                *switches.items(),
                ("XLA_FLAGS", xla),
            }
    assert {each.environment(2)["GLIBC_TUNABLES"] for each in CONTESTANTS} == {
        "glibc.malloc.hugetlb=1"
    }
    # XLA reads no flag that comes after a word that is none.
    single = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    assert BY_NAME["keras-jax-avx2"].environment(1)["XLA_FLAGS"] == f"{alone} {single}"
    assert BY_NAME["keras-jax"].environment(1)["XLA_FLAGS"] == single


@pytest.mark.skipif(platform.machine() != "x86_64", reason="YNNPACK's flags of other processors")
@pytest.mark.skipif(sys.platform != "linux", reason="the symbols of an ELF file")
def test_ynnpack_is_held_to_avx2():
    """Oracle: what it then says of the processor when it is asked."""
    script = (
        "import ctypes, jax\nfrom benchmarks.opponents import held\n"
        "held.hold()\npath, base = held._loaded('libjax_common.so')\n"
        "at = held.symbols(path, (held._FUNCTION,))[held._FUNCTION]\n"
        "print(ctypes.CFUNCTYPE(ctypes.c_uint64)(base + at)())"
    )
    if not tuple(map(int, jaxlib.__version__.split(".")[:2])) >= (0, 10):
        pytest.skip("YNNPACK came with later jaxlibs")
    flags = {}
    for switch in ("", "1"):
        found = {**os.environ, held.SWITCH: switch}
        done = subprocess.run(
            [sys.executable, "-c", script], env=found, capture_output=True, text=True, check=True
        )
        flags[switch] = int(done.stdout)
    assert flags["1"] == flags[""] & 0x7F > 0


def test_symbols_that_are_not_there(tmp_path):
    with pytest.raises(RuntimeError, match=r"flags in .*, found none$"):
        held.symbols(Path(sys.executable).resolve(), (b"_no_such_symbol",))


def test_nobody_is_held_where_the_processor_has_nothing_better(able):
    able("avx2")
    assert not [each.name for each in CONTESTANTS if each.held]
    assert "ONEDNN_MAX_CPU_ISA" not in BY_NAME["bakeoff-avx2"].environment(1)


# ── how they are measured ────────────────────────────────────────────────────────────────────


@pytest.fixture
def run(journal, tmp_path):
    return speed.Run(journal, tmp_path / "logs", 1, 1.0, (), False, lambda text: None)


def test_the_held_take_turns_of_their_own_after_the_others(able, run, monkeypatch):
    turns = []
    monkeypatch.setattr(
        speed, "_take_turns", lambda workload, found, who, run: turns.append([*who])
    )
    speed.measure(MODEL_8, run)
    assert [{each.held for each in who} for who in turns] == [{None}, {"avx2"}]
    assert [each.name for each in turns[1]] == [each.name for each in CONTESTANTS if each.held]
    said = []
    speed.measure(MODEL_8, replace(run, names=["bakeoff-native"], say=said.append))
    assert said == ["model-8: nobody named takes part here"] and len(turns) == 2


def test_the_held_try_what_was_fastest_for_the_same_one_free(able, run, journal):
    free, held = BY_NAME["keras-tensorflow"], BY_NAME["keras-tensorflow-avx2"]
    model = replace(declared(MODEL_8), n_train=1_000_000)  # so many steps that 16 are tried at once
    everything = speed._candidates(MODEL_8, model, free, run)
    assert speed._candidates(MODEL_8, model, held, run) == everything
    assert len(everything[1]) == 4
    single, threads = {"processes": 2, "threads": 1}, {"processes": 1, "threads": 2}
    tried = [
        {"arrangement": where, "settings": {"jit": jit, "steps": steps}, "steps_per_second": pace}
        for where, jit, steps, pace in (
            (single, False, 1, 90.0),
            (single, False, 16, 100.0),
            (single, True, 1, 30.0),
            (threads, False, 16, 80.0),
        )
    ]
    where = {"workload": "model-8", "contestant": "keras-tensorflow"}
    journal.append("calibration", **where, tried=tried, chosen=tried[1])
    fastest = [tried[0]["settings"], tried[1]["settings"]]
    expected = [each for each in everything[0] if each == Arrangement(2, 1)]
    assert speed._candidates(MODEL_8, model, held, run) == (expected, fastest)


def test_whoever_is_held_is_not_asked_what_it_learns(able, run, monkeypatch):
    asked = []
    line = {"accuracy": [0.9], "epochs": 1, "images": 10, "held_out": 10}
    monkeypatch.setattr(
        accuracy, "_train", lambda w, f, who, run, first: asked.append(who.name) or line
    )
    accuracy.measure(MODEL_8, run)
    assert "bakeoff-avx2" in asked and "keras-jax" in asked
    assert not [name for name in asked if BY_NAME[name].free or BY_NAME[name].is_limit]


# ── what follows ─────────────────────────────────────────────────────────────────────────────


def test_ratios_and_limits_are_of_those_that_are_held_alike(able, journal):
    fill(journal)
    found = ours(summarised(journal))
    best = {
        name: [(each["best"], each["ratio"], each["most"]) for each in row["ratios"].values()]
        for name, row in found.items()
    }
    assert best == {
        "bakeoff": [("keras-jax", 1.0, 2.0), ("torch-loop", 1.25, 2.5)],
        "bakeoff-avx512": [("keras-jax", 1.2, 2.0), ("torch-loop", 1.5, 2.5)],
        "bakeoff-avx2": [("keras-jax-avx2", 1.5, 2.0), ("torch-loop-avx2", 1.0, 1.333)],
    }
    shares = {name: row["limit"]["products"] for name, row in found.items()}
    assert shares == {"bakeoff": 0.5, "bakeoff-avx512": 0.6, "bakeoff-avx2": 0.75}
    # 300 steps a second of 10⁸ operations, where a large product does 400 · 2 · 10⁸ a second
    assert found["bakeoff-avx2"]["limit"]["large"] == 0.375
    assert (
        "`model-8`, Bakeoff, AVX2: 1.00 × the throughput of PyTorch loop, held to AVX2, where "
        "1.1 × was wanted"
    ) in targets.missed(summarised(journal))


def test_who_is_held_is_not_compared_with_who_is_not(able, journal):
    fill(journal, {name: PACES[name] for name in ("bakeoff-avx2", "keras-jax", "products")})
    row = ours(summarised(journal))["bakeoff-avx2"]
    assert row["ratios"] == {"keras": None, "torch": None} and row["limit"] is None
    able("avx2")  # where there is nothing to be held from
    row = ours(summarised(journal))["bakeoff-avx2"]
    assert row["ratios"]["keras"]["best"] == "keras-jax" and row["limit"]["products"] == 0.3


def test_the_page_of_a_machine_without_tiles_says_who_is_held(able, journal):
    fill(journal)
    document = summarised(journal, name="zen5")
    assert [*limits(document["workloads"][0]["ours"])] == [None, "avx2"]
    text = page(document)
    flat = " ".join(text.split())
    assert text.splitlines()[1] == "# How fast a study trains on A processor"
    assert "that of [How fast a study trains](benchmarks.md): A processor with 2 cores." in flat
    assert "[benchmarks-zen5.json](benchmarks-zen5.json)" in text
    assert "GPU" not in text
    assert "*AVX-512* and *AVX2* are native kernels: what a wheel brings" in flat
    assert "The rows of *AVX2* stand for a processor without AVX-512: there everybody" in flat
    assert "Only Bakeoff is held" not in text and "bfloat16" not in text
    assert "| Keras fit on JAX, held to AVX2 |" in text
    assert "| 1.50 × [1.50–1.50], Keras fit on JAX, held to AVX2 | 1.2 ×: yes |" in text
    assert "The limit: 0.1 GFLOP a step; a large product reaches 200 GFLOP/s" in text
    assert "The limit, held to AVX2: 0.1 GFLOP a step; a large product reaches 80 GFLOP/s" in text


def test_a_page_with_held_opponents_does_not_say_that_only_bakeoff_is(able, journal):
    able(*WITH_TILES)
    fill(journal, {**PACES, "bakeoff-native": 1000})
    flat = " ".join(page(summarised(journal)).split())
    assert "- *Native kernels* are what a wheel brings" in flat
    assert "The rows of *AVX2* stand for" in flat and "Only Bakeoff is held" not in flat
    assert "The unit takes bfloat16" in flat


# ── the documents of several machines ────────────────────────────────────────────────────────


def test_another_machines_document_lies_beside_the_first_and_both_lead_to_each_other(
    able, journal, tmp_path, monkeypatch, capsys
):
    fill(journal)
    monkeypatch.setattr(command, "identity", lambda: "this")
    monkeypatch.setattr(command, "machine", lambda: MACHINE)
    write = ["write", "--folder", str(tmp_path)]
    assert command.main(write) == 0
    first = (tmp_path / "benchmarks.json").read_bytes()
    assert "Other machines" not in (tmp_path / "benchmarks.md").read_text()
    monkeypatch.setattr(command, "machine", lambda: {**MACHINE, "processor": "Another"})
    assert command.main(write) == 2
    assert capsys.readouterr().err == (
        "benchmarks: expected measurements of A processor for benchmarks.json, found Another: "
        "keep them beside it with --name NAME, or delete it first\n"
    )
    assert command.main([*write, "--name", "zen5"]) == 0
    assert (tmp_path / "benchmarks.json").read_bytes() == first
    assert [each["name"] for each in others(tmp_path)] == ["zen5"]
    text = (tmp_path / "benchmarks.md").read_text()
    assert "\nOther machines: [Another](benchmarks-zen5.md).\n" in text
    assert text == page(json.loads(first), others(tmp_path))
    named = json.loads((tmp_path / "benchmarks-zen5.json").read_text())
    assert page(named) == (tmp_path / "benchmarks-zen5.md").read_text()
    with pytest.raises(SystemExit):
        command.main([*write, "--name", "../zen5"])
    assert "expected small letters, digits and -, found '../zen5'" in capsys.readouterr().err
