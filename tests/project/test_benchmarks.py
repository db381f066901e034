"""The benchmark's bookkeeping: the journal, taking turns, resuming, ratios, limits, the page.

Oracles: hand arithmetic; made-up journals; a made-up contestant, a small script that answers as the
real ones do. docs/benchmarks.md is what docs/benchmarks.json gives. No other framework is needed:
what is imported from PyTorch is tested where `make bench` has installed it, and skipped elsewhere.
Cost: 12 s. Run: pytest tests/project/test_benchmarks.py
"""

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from bakeoff import recipe as recipes
from bakeoff.errors import UsageError
from bakeoff.recipe.architecture import describe
from benchmarks import __main__ as command
from benchmarks import (
    accuracy,
    comparing,
    contestants,
    first_epoch,
    gpu,
    gpu_tasks,
    scaling,
    speed,
    studies,
    summary,
    targets,
    workloads,
)
from benchmarks.contestants import BY_NAME, CONTESTANTS, Arrangement, Contestant
from benchmarks.group import DroppedOut, Group, together
from benchmarks.journal import Journal
from benchmarks.machine import identity, learning
from benchmarks.page import others, page, settings
from benchmarks.workloads import WORKLOADS, Declared, Workload

REPOSITORY = Path(__file__).parents[2]

DOCS = REPOSITORY / "docs"
SIZES = {"notebook-000": 48_000, "notebook-003": 55_000}
BENCH_PYTHON = REPOSITORY / ".venv-bench" / "bin" / "python"


@cache
def declared(workload: Workload) -> Declared:
    """What `workloads.declared` gives, without reading the images."""
    model = workloads.load(workload.recipe).models[workload.model]
    shape = workloads.input_shape(workload.recipe)
    architecture = describe(model, shape, 10)
    return Declared(model, architecture, shape, 10, SIZES.get(workload.recipe, 60_000))


def named(name: str) -> Workload:
    return next(each for each in WORKLOADS if each.name == name)


@pytest.fixture(autouse=True)
def no_images(monkeypatch):
    for module in (speed, summary):
        monkeypatch.setattr(module, "declared", declared)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal.jsonl", identity="this")


# ── the committed results ────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not (DOCS / "benchmarks.json").exists(), reason="make bench has not been run")
def test_the_page_holds_the_numbers_of_the_json():
    document = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    assert page(document, others(DOCS)) == text
    assert summary.rounded(document) == document


# ── workloads ────────────────────────────────────────────────────────────────────────────────


def test_the_workloads_and_targets_are_those_that_were_set():
    mlps, cnns = ("model-8", "dense", "fashion-mlp", "tuned-mlp"), ("cnn", "fashion-cnn")
    untuned = ("strided-cnn", "resnet", "separable")
    assert {each.name for each in WORKLOADS} == {*mlps, *cnns, *untuned}
    for each in WORKLOADS:
        least = (1.2, 1.1) if each.name in mlps else (1.4, 1.4)
        for ours, wanted in (
            ("bakeoff", (None, None)),
            ("bakeoff-native", (2.3, 2.6)),
            ("bakeoff-avx512", least),
            ("bakeoff-avx2", least),
        ):
            assert tuple(each.target(ours, family) for family in ("keras", "torch")) == wanted
    assert {each.name: each.share for each in WORKLOADS if each.share} == {
        "model-8": 0.65,
        "dense": 0.65,
    }
    batches = {each.name: declared(each).model.training.batch_size for each in WORKLOADS}
    assert batches["fashion-mlp"] == batches["fashion-cnn"] == 32
    assert batches["tuned-mlp"] == 4000
    assert batches["model-8"] == batches["dense"] == batches["cnn"] == 128
    assert [batches[name] for name in untuned] == [64, 32, 32]
    for name in ("resnet", "separable"):
        assert declared(named(name)).input_shape == (64, 64, 3)


def test_larger_images_are_the_images_with_a_margin_in_three_channels():
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28, 1)
    found = workloads.enlarged(images)
    assert found.shape == (2, 64, 64, 3) and found.dtype == np.uint8
    assert found[1, 4:60:2, 5:60:2, 0].tolist() == images[1, ..., 0].tolist()
    assert found[0, 0, 0].tolist() == [0, 255, 0]
    assert found[1, :, ::-1, 2].tolist() == found[1, ..., 0].tolist()


def test_a_trial_is_its_epochs_and_its_last_smaller_batch():
    assert declared(named("model-8")).steps_per_epoch == 469  # 60,000 / 128 = 468.75
    assert declared(named("model-8")).steps_per_trial == 50 * 469
    assert declared(named("tuned-mlp")).steps_per_trial == 60 * 12


def test_the_products_of_a_step_by_hand():
    assert workloads.products(declared(named("model-8"))) == [
        *((128, 784, 512), (784, 128, 512)),
        *((128, 128, 512), (128, 512, 128), (512, 128, 128)),
        *((128, 10, 128), (128, 128, 10), (128, 128, 10)),
    ]
    cnn = workloads.products(declared(named("cnn")))
    assert cnn[:2] == [(128 * 26 * 26, 9, 32), (9, 128 * 26 * 26, 32)]
    assert cnn[2:5] == [
        (128 * 11 * 11, 64, 9 * 32),
        (128 * 11 * 11, 9 * 32, 64),
        (9 * 32, 128 * 11 * 11, 64),
    ]
    assert workloads.operations([(2, 3, 5), (7, 1, 1)]) == 2 * 30 + 2 * 7


def test_the_products_are_nearly_all_operations_of_a_step():
    for workload in WORKLOADS:
        found = declared(workload)
        batch = found.model.training.batch_size
        forward = found.architecture.flops_per_image * batch
        assert 0.6 < workloads.operations(workloads.products(found)) / (3 * forward) <= 1


def test_an_unknown_workload_is_refused():
    with pytest.raises(UsageError, match=re.escape("expected a workload (model-8, dense, ")):
        workloads.named(["model-9"])
    assert [each.name for each in workloads.named(["cnn", "dense"])] == ["cnn", "dense"]
    assert workloads.named([]) == WORKLOADS


# ── contestants ──────────────────────────────────────────────────────────────────────────────


def test_bakeoff_runs_as_in_a_study_and_the_others_get_both_arrangements():
    single, threads = Arrangement(2, 1), Arrangement(1, 2)
    for each in CONTESTANTS:
        alone = each in contestants.OURS or each.is_limit
        assert each.arrangements(2) == ([single] if alone else [threads, single])
    assert single.label == "2 × 1 thread"
    assert threads.label == "1 × 2 threads"


def test_bakeoff_takes_part_with_every_kind_of_kernels(monkeypatch):
    monkeypatch.delenv("BAKEOFF_CPU")
    monkeypatch.setattr(contestants, "usable_variants", lambda: ("avx2", "avx512", "amx"))
    for each in WORKLOADS:
        found = [one.name for one in contestants.entered(declared(each))]
        assert found[:4] == ["bakeoff", "bakeoff-native", "bakeoff-avx512", "bakeoff-avx2"]
    switches = [each.environment(1)["BAKEOFF_CPU"] for each in contestants.OURS]
    assert switches == ["plain", "", "avx512", "avx2"]
    assert "BAKEOFF_CPU" not in BY_NAME["keras-jax"].environment(1)


def test_scikit_learn_takes_part_where_it_can_and_says_what_it_leaves_out():
    found = {each.name: contestants.sklearn(declared(each).model) for each in WORKLOADS}
    assert {name for name, plain in found.items() if plain} == {"model-8", "dense", "tuned-mlp"}
    assert found["model-8"].differs == ("no dropout",)
    assert found["model-8"].settings["hidden"] == [512, 128]
    assert found["dense"].differs == ("Adam for RMSprop",)
    assert found["dense"].settings["solver"] == "adam"
    digits = recipes.load("digits").models
    assert contestants.sklearn(digits["mlp"]).differs == ()
    assert contestants.sklearn(digits["cnn"]) is None


@pytest.mark.parametrize("held_out", [0, 20])
def test_scikit_learn_trains_with_and_without_images_held_out(held_out, digits):
    from benchmarks.opponents import sklearn_mlp
    from benchmarks.opponents.child import Task

    extra = {
        "hidden": [8],
        "activation": "relu",
        "solver": "adam",
        "momentum": 0.0,
        "nesterov": False,
    }
    task = Task("notebook-002", "model-8", seed=0, threads=1, held_out=held_out, extra=extra)
    images, labels = digits.images[:300], digits.labels[:300]
    cut = len(labels) - held_out
    parts = [
        workloads.Material(images[rows], labels[rows], digits.maximum, 10)
        for rows in (slice(cut), slice(cut, None))
    ]
    vars(task)["both"] = tuple(parts)
    contestant = sklearn_mlp._Mlp(task)
    contestant.prepare({})
    assert contestant.train(200, [0.01] * 30) > 0
    assert contestant.parameters == 65 * 8 + 9 * 10
    if held_out:
        assert contestant.score() > 0.5


def test_every_setting_that_might_be_faster_is_tried():
    def tries(name, workload):
        return list(BY_NAME[name].tries(declared(named(workload))))

    assert [each["jit"] for each in tries("keras-tensorflow", "cnn")] == [False, True]
    assert {each["steps"] for each in tries("keras-jax", "fashion-mlp")} == {1, 16}
    assert [each["steps"] for each in tries("keras-jax", "tuned-mlp")] == [1]
    assert {each["layout"] for each in tries("torch-loop", "cnn")} == {
        "channels-last",
        "contiguous",
    }
    assert tries("torch-loop", "model-8") == [{"layout": "contiguous", "optimizer": "fused"}]
    ways = {each["optimizer"] for each in tries("lightning", "dense")}
    assert ways == {"foreach", "single"}  # RMSprop has no fused step


@pytest.mark.skipif(not BENCH_PYTHON.exists(), reason="make bench has not installed PyTorch")
def test_the_translated_models_have_the_same_parameters():
    code = (
        "import json, sys\n"
        "from benchmarks.opponents import torch_model\n"
        "from benchmarks.workloads import WORKLOADS, input_shape, load\n"
        "found = {}\n"
        "for each in WORKLOADS:\n"
        "    model = load(each.recipe).models[each.model]\n"
        "    *shape, channels = input_shape(each.recipe)\n"
        "    network = torch_model.build(model, channels, tuple(shape), 10)\n"
        "    torch_model.optimizer(network, model, way='single')\n"
        "    groups = torch_model._groups(network)\n"
        "    found[each.name] = [\n"
        "        torch_model.parameters(network),\n"
        "        {str(g['weight_decay']): sum(p.numel() for p in g['params']) for g in groups},\n"
        "    ]\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [BENCH_PYTHON, "-c", code], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for workload in WORKLOADS:
        assert found[workload.name][0] == declared(workload).architecture.parameters
    regularized = 784 * 300 + 300 * 300 + 300 * 100 + 100 * 100 + 100 * 50 + 50 * 10
    assert found["fashion-mlp"][1]["0.0016"] == regularized  # the gradient of 0.0008 · w²


# ── the journal ──────────────────────────────────────────────────────────────────────────────


def test_a_line_is_read_back_by_its_fields_and_other_identities_are_not(journal, tmp_path):
    journal.append("repeat", workload="cnn", repeat=0, seconds=1.5)
    journal.append("repeat", workload="cnn", repeat=1, seconds=2.5)
    journal.append("start", workload="cnn")
    assert [line["seconds"] for line in journal.lines("repeat", workload="cnn")] == [1.5, 2.5]
    assert journal.lines("repeat", workload="cnn", repeat=1)[0]["seconds"] == 2.5
    assert Journal(tmp_path / "journal.jsonl", identity="other").lines("repeat") == []


def test_what_has_no_line_yet_is_missing_in_each_repeat(journal):
    journal.append("scaling", axis="width", factor=2, repeat=0, seconds=1.5)
    cases = [scaling.TrialCase("all", 1), scaling.TrialCase("width", 2)]
    assert [
        (case.axis, where["repeat"]) for case, where in journal.missing("scaling", cases, repeats=2)
    ] == [("all", 0), ("all", 1), ("width", 1)]


def test_half_a_line_of_a_killed_run_is_neither_read_nor_kept(journal, tmp_path):
    journal.append("repeat", repeat=0)
    path = tmp_path / "journal.jsonl"
    with path.open("ab") as file:
        file.write(b'{"kind": "repeat", "identity": "this", "rep')
    assert [line["repeat"] for line in journal.lines("repeat")] == [0]
    journal.append("repeat", repeat=1)
    assert [line["repeat"] for line in journal.lines("repeat")] == [0, 1]
    assert path.read_bytes().count(b"\n") == 2


# ── taking turns, with a made-up contestant ──────────────────────────────────────────────────

SCRIPT = """
import json, os, sys, time
task = json.loads(sys.stdin.readline())
log = open({log!r}, "a")
parameters, fails = {parameters}, {fails!r}
for line in sys.stdin:
    order = json.loads(line)
    if order["do"] == "versions":
        answer = {{}}
    elif order["do"] == "prepare":
        answer = {{"parameters": parameters}}
    else:
        if os.path.exists(fails):
            sys.exit("out of luck")
        steps = -(-order["images"] // 128) * order["epochs"]
        log.write(f"{name} {{task['seed']}}\\n"); log.flush()
        seconds = steps / {speed} * (1 + task["seed"])
        answer = {{"seconds": seconds, "steps": steps, "peak_bytes": 1}}
    print(json.dumps(answer), flush=True)
"""
PARAMETERS = 468_874  # of model-8


class MadeUp(Contestant):
    """A contestant whose process is the script above."""

    def command(self):
        return [sys.executable, self.script]


@pytest.fixture
def make(tmp_path):
    def made(name, *, pace, family=None, parameters=PARAMETERS):
        script = tmp_path / f"{name}.py"
        filled = SCRIPT.format(
            log=str(tmp_path / "turns"),
            fails=str(tmp_path / f"{name}.fails"),
            name=name,
            speed=pace,
            parameters=parameters,
        )
        script.write_text(filled)
        return MadeUp(name, name.title(), str(script), family, lambda declared: [{}], ())

    return made


@pytest.fixture
def run(journal, tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "_PAUSE", 0.0)
    monkeypatch.setattr(speed, "cores", lambda: 2)
    said = []
    made = speed.Run(journal, tmp_path / "logs", 5, 4.0, (), False, said.append)
    return replace(made, say=said.append), said


def enter(monkeypatch, entered):
    monkeypatch.setattr(speed, "entered", lambda declared, names: entered)


def test_contestants_take_turns_in_changing_order():
    names = list("abc")
    orders = ["".join(speed.turns(names, repeat)) for repeat in range(4)]
    assert orders == ["abc", "acb", "cab", "cba"]
    assert {order[0] for order in orders[:3]} == {"a", "c"}
    assert all(sorted(order) == names for order in orders)


def test_the_slower_of_two_processes_counts_and_both_ones_steps(run, make, monkeypatch, journal):
    enter(monkeypatch, [make("bakeoff", pace=1000.0)])
    speed.measure(named("model-8"), run[0])
    repeats = journal.lines("repeat", workload="model-8", contestant="bakeoff")
    assert [line["repeat"] for line in repeats] == [0, 1, 2, 3, 4]
    epochs = repeats[0]["epochs"]
    assert epochs == 12  # an epoch of 160 steps takes the slower one 0.32 s; 4.0 s are wanted
    assert all(line["steps"] == 2 * 12 * 160 for line in repeats)
    assert repeats[0]["seconds"] == pytest.approx(2 * 12 * 160 / 1000.0)


def test_the_faster_arrangement_is_chosen_and_written_down(run, make, monkeypatch, journal):
    """Two processes do two epochs in the time of the slower: as fast as one, at best."""
    enter(monkeypatch, [make("theirs", pace=1000.0, family="keras")])
    speed.measure(named("model-8"), run[0])
    line = journal.lines("calibration", contestant="theirs")[0]
    tried = {each["arrangement"]["processes"]: each["steps_per_second"] for each in line["tried"]}
    assert tried == {2: pytest.approx(1000.0), 1: pytest.approx(1000.0)}
    assert len(journal.lines("repeat", contestant="theirs")) == 5


def test_a_killed_run_goes_on_where_it_was(run, make, monkeypatch, journal, tmp_path):
    contestants_ = [make("bakeoff", pace=2000.0), make("other", pace=900.0)]
    enter(monkeypatch, contestants_)
    speed.measure(named("model-8"), replace(run[0], repeats=2))
    before = journal.lines("repeat")
    assert len(before) == 4
    speed.measure(named("model-8"), replace(run[0], repeats=3))
    after = journal.lines("repeat")
    assert after[:4] == before
    assert sorted((line["contestant"], line["repeat"]) for line in after[4:]) == [
        ("bakeoff", 2),
        ("other", 2),
    ]
    turns = (tmp_path / "turns").read_text()
    speed.measure(named("model-8"), replace(run[0], repeats=3))
    assert (tmp_path / "turns").read_text() == turns
    assert run[1][-1] == "model-8: all repeats are there"


def test_only_one_trains_at_a_time_and_each_in_its_turn(run, make, monkeypatch, tmp_path):
    enter(monkeypatch, [make("a", pace=1e5), make("b", pace=1e5), make("c", pace=1e5)])
    monkeypatch.setattr(MadeUp, "arrangements", lambda self, cores: [Arrangement(1, 2)])
    speed.measure(named("model-8"), replace(run[0], repeats=2))
    order = (tmp_path / "turns").read_text().split()[::2]
    assert (
        "".join(order) == "aabbcc" + "abc" + "acb"
    )  # warm, and once more to see how long it takes


def test_who_drops_out_is_left_out_and_the_others_go_on(run, make, monkeypatch, journal, tmp_path):
    enter(monkeypatch, [make("bakeoff", pace=1000.0), make("weak", pace=1000.0)])
    (tmp_path / "weak.fails").touch()
    speed.measure(named("model-8"), run[0])
    assert {line["contestant"] for line in journal.lines("repeat")} == {"bakeoff"}
    (failed,) = journal.lines("failed")
    log = tmp_path / "logs" / "model-8.weak.0.log"
    assert failed["reason"] == f"Weak died: out of luck (all of it in {log})"


def test_other_libraries_than_those_of_the_others_are_refused(run, make, monkeypatch, journal):
    monkeypatch.setattr(speed, "versions", lambda: {"keras": "3.15.1"})
    with pytest.raises(DroppedOut, match=r"^Bakeoff: expected keras 3\.15\.1, as the others have"):
        speed._check_versions(make("bakeoff", pace=1.0), {"keras": "3.15.2"})
    speed._check_versions(make("bakeoff", pace=1.0), {"keras": "3.15.1"})


def test_what_was_tried_is_not_tried_again(run, make, monkeypatch, journal, tmp_path):
    enter(monkeypatch, [make("theirs", pace=1000.0, family="keras")])
    speed.measure(named("model-8"), replace(run[0], repeats=1))
    said = len(run[1])
    speed.measure(named("model-8"), replace(run[0], repeats=2))
    assert not [line for line in run[1][said:] if " try " in line]
    assert len(journal.lines("calibration")) == 1
    settings_ = speed.known_settings(
        named("model-8"), declared(named("model-8")), make("theirs", pace=1.0), run[0]
    )
    assert settings_ == {}


def test_a_model_with_other_parameters_is_no_contestant(run, make, monkeypatch, journal):
    enter(monkeypatch, [make("bakeoff", pace=1000.0, parameters=468_873)])
    speed.measure(named("model-8"), run[0])
    assert journal.lines("failed")[0]["reason"] == (
        "Bakeoff: expected 468,874 parameters, found 468,873: its model is another one"
    )
    assert journal.lines("repeat") == []


def test_the_processes_end_with_their_group(make, tmp_path):
    group = Group(make("a", pace=1.0), Arrangement(2, 1), {}, log=tmp_path / "log")
    processes = list(group._processes)
    assert group.order(do="versions") == [{}, {}]
    group.close()
    assert all(process.poll() is not None for process in processes)


def test_a_script_that_is_not_there_dropped_out(make, tmp_path):
    missing = replace(make("a", pace=1.0), script=str(tmp_path / "none.py"))
    group = Group(missing, Arrangement(1, 1), {}, log=tmp_path / "log")
    with pytest.raises(DroppedOut, match=r"^A died: .*none\.py.* \(all of it in "):
        group.order(do="versions")
    group.close()


def test_work_adds_up_and_the_slowest_counts():
    answers = [
        {"seconds": 2.0, "steps": 10, "peak_bytes": 7, "large_per_second": 5.0, "operations": 3},
        {"seconds": 3.0, "steps": 10, "peak_bytes": 6, "large_per_second": 4.0, "operations": 3},
    ]
    assert together(answers) == {
        "seconds": 3.0,
        "steps": 20,
        "peak_bytes": 7,
        "large_per_second": 9.0,
        "operations": 3,
    }


# ── what follows from the measurements ───────────────────────────────────────────────────────

PACES = {
    "bakeoff-native": (1000, 1100, 900),
    "keras-tensorflow": (200, 220, 180),
    "keras-jax": (250, 260, 240),
    "torch-loop": (600, 600, 600),
    "sklearn": (300, 300, 300),
    "products": (2000, 2000, 2000),
}


def fill(journal, workload="model-8"):
    for name, paces in PACES.items():
        where = {"workload": workload, "contestant": name}
        arrangement = {"processes": 2, "threads": 1}
        journal.append(
            "start",
            **where,
            arrangement=arrangement,
            settings={"jit": True, "steps": 16} if name == "keras-jax" else {},
            versions={},
            start_seconds=3.0,
            warm_seconds=4.0,
        )
        if name == "keras-jax":
            each = {"arrangement": arrangement, "settings": {}, "steps_per_second": 1.0}
            journal.append("calibration", **where, tried=[each], chosen=each)
        for repeat, pace in enumerate(paces):
            large = {"operations": 100_000_000, "large_per_second": 2e11}
            extra = large if name == "products" else {}
            journal.append(
                "repeat", **where, repeat=repeat, steps=3 * pace, seconds=3.0, peak_bytes=5, **extra
            )


def summarised(journal):
    machine = {
        "processor": "A processor",
        "cores": 2,
        "memory_bytes": 2**34,
        "platform": "Linux",
        "python": "3.11",
    }
    return summary.summarise(journal, machine=machine, versions={"keras": "3.15.1", "torch": None})


def test_ratios_are_over_the_fastest_of_each_family(journal):
    fill(journal)
    found = {each["name"]: each for each in summarised(journal)["workloads"]}["model-8"]
    (ours,) = found["ours"]
    keras, torch = ours["ratios"]["keras"], ours["ratios"]["torch"]
    assert (keras["best"], keras["ratio"], keras["met"]) == ("keras-jax", 4.0, True)
    assert keras["range"] == [3.75, pytest.approx(4.231, abs=1e-3)]  # 900/240 and 1100/260
    assert (torch["best"], torch["ratio"], torch["met"]) == ("torch-loop", 1.667, False)
    assert keras["most"] == 8.0  # 2000 steps a second of products alone, over 250
    assert "sklearn" in [row["name"] for row in found["contestants"]]
    assert "products" not in [row["name"] for row in found["contestants"]]


def test_trials_an_hour_are_steps_a_second_over_the_steps_of_a_trial(journal):
    fill(journal)
    found = {each["name"]: each for each in summarised(journal)["workloads"]}["model-8"]
    assert found["contestants"][0]["trials_per_hour"] == pytest.approx(3600e3 / 23_450, rel=1e-3)


def test_the_fraction_of_the_limit_in_both_ways(journal):
    fill(journal)
    found = {each["name"]: each for each in summarised(journal)["workloads"]}["model-8"]["ours"]
    found = found[0]["limit"]
    assert found["products"] == 0.5  # 1000 steps a second, where products alone do 2000
    assert found["large"] == 0.5  # 1000 · 10⁸ operations a second of 2 · 10¹¹
    assert found["met"] is False  # 65 % are wanted


def test_missed_targets_are_said_with_their_numbers(journal):
    fill(journal)
    for repeat in range(3):
        for state, seconds in (("cold", 25.0), ("warm", 15.0)):
            journal.append("digits", repeat=repeat, state=state, seconds=seconds + repeat)
    assert targets.missed(summarised(journal)) == [
        "`model-8`, Bakeoff, native kernels: 1.67 × the throughput of PyTorch loop, where "
        "2.6 × was wanted",
        "`model-8`, Bakeoff, native kernels: 50 % of the matrix-product limit, where 65 % was "
        "wanted",
        "the digits study, cold: 26.0 s, where less than 20 s was wanted",
    ]


def test_a_target_out_of_the_processor_s_reach_is_said_to_be(journal):
    def over_torch():
        said = [s for s in targets.missed(summarised(journal)) if "PyTorch" in s]
        return said[0]

    fill(journal, "fashion-mlp")
    assert over_torch() == (
        "`fashion-mlp`, Bakeoff, native kernels: 1.67 × the throughput of PyTorch loop, where "
        "2.6 × was wanted"
    )
    where = {"workload": "fashion-mlp", "contestant": "torch-loop"}
    for repeat in range(3, 12):
        journal.append("repeat", **where, repeat=repeat, steps=9000, seconds=3.0, peak_bytes=1)
    assert over_torch() == (
        "`fashion-mlp`, Bakeoff, native kernels: 0.33 × the throughput of PyTorch loop, where "
        "2.6 × was wanted; float32 matrix products alone, with nothing between them, would be "
        "0.67 ×"
    )


def test_bytecode_is_no_other_code(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.machine.REPOSITORY", tmp_path)
    native = tmp_path / "src/bakeoff/training/native"
    (native / "__pycache__").mkdir(parents=True)
    (native / "ops.py").write_text("x = 1")
    before = identity()
    (native / "__pycache__" / "ops.cpython-311.pyc").write_bytes(b"compiled")
    assert identity() == before
    (native / "ops.py").write_text("x = 2")
    assert identity() != before


@pytest.fixture
def learned(journal):
    def append(workload, contestant, scores, **more):
        journal.append(
            "accuracy",
            workload=workload,
            contestant=contestant,
            identity=learning(ours=contestant == "bakeoff"),
            accuracy=scores,
            epochs=1,
            images=10,
            held_out=10_000,
            **more,
        )

    return append


def accuracy_of(workload, journal):
    return {each["name"]: each for each in summarised(journal)["workloads"]}[workload]["accuracy"]


def test_accuracies_are_compared_with_what_seeds_do(journal, learned):
    learned("cnn", "bakeoff", [0.97, 0.98])
    learned("cnn", "keras-jax", [0.96, 0.98])
    learned("cnn", "sklearn", [0.90, 0.91])
    found = accuracy_of("cnn", journal)
    assert found["range"] == pytest.approx(0.005)
    assert found["expected_range"] == pytest.approx(
        accuracy.expected_range([[0.97, 0.98], [0.96, 0.98]]), rel=1e-3
    )


def test_rounds_of_seeds_are_joined_and_as_many_taken_of_everybody(journal, learned):
    learned("model-8", "bakeoff", [0.5, 0.6], round=0)
    learned("model-8", "keras-jax", [0.7, 0.8], round=0)
    learned("model-8", "bakeoff", [0.9, 0.9], round=1)
    merged = accuracy.measured(named("model-8"), BY_NAME["bakeoff"], journal)
    assert merged["accuracy"] == [0.5, 0.6, 0.9, 0.9]
    found = accuracy_of("model-8", journal)
    assert found["seeds"] == 2
    assert [each["mean"] for each in found["contestants"]] == pytest.approx([0.55, 0.75])


def test_means_of_equals_lie_further_apart_than_expected_in_one_of_twenty(rng):
    draws = rng.normal(0.9, 0.01, (2000, 7, 2))
    beyond = [np.ptp(each.mean(axis=1)) > accuracy.expected_range(each) for each in draws]
    assert np.mean(beyond) == pytest.approx(0.05, abs=0.015)
    assert accuracy.expected_range([[0.9], [0.8]]) is None
    assert accuracy.expected_range([[0.9, 0.8]]) is None


def test_a_straight_line_and_one_that_is_none():
    def line(seconds):
        return summary.straight(
            [{"work": 10.0 * f, "seconds": s} for f, s in zip((1, 2, 4, 8), seconds, strict=True)]
        )

    found = line([3.0, 5.0, 9.0, 17.0])
    assert found["fixed"] == pytest.approx(1.0)
    assert found["unit"] == pytest.approx(2.0)
    assert found["off"] == pytest.approx(0.0, abs=1e-9)
    assert found["straight"]
    assert not line([1.0, 4.0, 16.0, 64.0])["straight"]


def test_the_work_of_a_case_grows_with_its_factor():
    base = scaling.TrialCase("all", 1)
    one = scaling.work(base, scaling.model(base))
    for axis in ("images", "epochs", "seeds"):
        case = scaling.TrialCase(axis, 8)
        assert scaling.work(case, scaling.model(case)) == 8 * one
    wide = scaling.TrialCase("width", 8)
    assert scaling.work(wide, scaling.model(wide)) / one == pytest.approx(12.2, abs=0.2)
    assert len(scaling.cases()) == 19


def test_images_of_another_shape_are_mnist_repeated():
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28, 1)
    data = workloads.Material(images, np.array([3, 4]), 255.0, 10)
    large = scaling.shaped(data, scaling.TrialCase("pixels", 64))
    assert large.images.shape == (2, 64, 64, 1)
    assert (large.images[:, 28:56, :28] == images).all()
    assert scaling.shaped(data, scaling.TrialCase("channels", 3)).images.shape == (2, 28, 28, 3)
    many = scaling.shaped(data, scaling.TrialCase("classes", 100))
    assert many.n_classes == 100 and many.labels.tolist() == [3, 14]
    assert (many.images == images).all()
    work = [
        scaling.work(case, scaling.model(case))
        for case in (scaling.TrialCase("all", 1), scaling.TrialCase("pixels", 128))
    ]
    assert work[1] / work[0] == pytest.approx(19.3, abs=0.3)


# ── the page ─────────────────────────────────────────────────────────────────────────────────


def test_the_page_says_what_was_measured_and_what_was_not(journal, monkeypatch):
    monkeypatch.setattr(summary.gpu, "measured", lambda: None)
    fill(journal)
    text = page(summarised(journal))
    ours = "| `model-8`, Bakeoff, native kernels | 4.00 × [3.75–4.23], Keras fit on JAX |"
    assert f"{ours} 2.3 ×: yes |" in text
    assert "| 1.67 × [1.50–1.83], PyTorch loop | 2.6 ×: **no** |" in text
    assert "50 % (products alone: 50 %) | 65 %: **no** |" in text
    assert "| scikit-learn (no dropout) |" in text
    assert "jit, 16 steps at a time" in text
    assert "On a GPU: not yet measured; `python -m benchmarks.gpu`" in text
    assert "**Not yet measured:** accuracy of `model-8`, throughput of `dense`," in text
    assert "- `model-8`, Bakeoff, native kernels: 1.67 × the throughput of PyTorch loop" in text


def test_a_page_with_everything(journal):
    fill(journal)
    for repeat in range(3):
        for state in ("cold", "warm"):
            journal.append("digits", repeat=repeat, state=state, seconds=10.0 + repeat)
        commands = {"--help": 0.2, "status": 0.25 + 0.01 * repeat, "compare": 0.8}
        journal.append("waits", repeat=repeat, commands=commands, run={"imports": 1, "epoch": 2})
        for case in scaling.cases():
            work = 100.0 * (case.factor if case.axis != "width" else case.factor**2)
            journal.append(
                "scaling",
                axis=case.axis,
                factor=case.factor,
                repeat=repeat,
                work=work,
                seconds=1 + 2.0 * case.factor,
                peak_bytes=300_000_000 * case.factor,
            )
        for verb in comparing.VERBS:
            journal.append(
                "comparing",
                verb=verb,
                repeat=repeat,
                images=comparing.IMAGES,
                seconds=2.0,
                processor_seconds=1.5,
                peak_bytes=200_000_000,
            )
    for each in studies.cases():
        seconds = 5 + 0.5 * each.networks
        where = {"axis": each.axis, "factor": each.factor, "networks": each.networks}
        journal.append("studies", **where, repeat=0, seconds=seconds, peak_bytes=400_000_000)
    journal.append("worker", model="cnn", seconds=30.0, peak_bytes=950_000_000)
    document = summarised(journal)
    assert json.loads(json.dumps(document)) == document
    text = page(document)
    assert "| images (MNIST repeated) | 8 | 8.0 | 17.0 | 2,400 MB | 3 |" in text
    assert "- seeds, one after the other: 1.0 s and 2.00 s for each unit of work" in text
    assert "| `bakeoff status` | 0.26 | 0.25–0.27 | 0.3: yes |" in text
    assert "to the end of the first epoch of 60,000 images | 3.00 | 3.00–3.00 | 4: yes |" in text
    assert "| epoch | 2.00 |" in text
    assert "- `bakeoff compare`: 0.80 s, where less than 0.7 s was wanted" in text
    assert "| 100 models | 300 | 155.0 | 400 MB |" in text
    assert "- folds: 5.0 s and 0.50 s a network; no study is further than 0 % from" in text
    assert "With an empty cache of programs: 11.0 s (10.0–12.0, 3 runs)" in text
    assert "`cnn` 950 MB; the target is less than 900 MB" in text
    assert "`bakeoff compare` 2.0 s (1.5 s of processor time), 200 MB" in text
    assert "the target is less than 5 s, 4 s for a report, and 500 MB." in text
    assert "- no straight line: width" in text
    assert "- the memory of a worker: 950 MB with `cnn`, where less than 900 MB was wanted" in text
    assert re.search(r"[ \t]+\n", text) is None


def test_the_studies_that_grow_can_be_carried_out():
    for case in studies.cases():
        recipe = recipes.parse(case.recipe(), origin="studies", folder=Path.cwd())
        folds = recipe.split.folds or 1
        assert case.networks == len(recipe.models) * len(recipe.seeds) * folds


def test_settings_in_words():
    assert settings({}) == "–"
    assert settings({"jit": False, "steps": 1}) == "no jit"
    assert settings({"jit": False, "steps": 1, "format": "channels_first"}) == (
        "no jit, channels first"
    )


# ── the command ──────────────────────────────────────────────────────────────────────────────


def test_an_unknown_word_is_refused_in_one_line(capsys):
    assert command.main(["sped"]) == 2
    assert capsys.readouterr().err.startswith("benchmarks: expected a workload (model-8, dense, ")
    assert command.main(["status", "--only", "caffe"]) == 2
    assert "--only: expected a contestant (bakeoff, " in capsys.readouterr().err


def test_writing_without_measurements_is_refused(capsys, tmp_path):
    assert command.main(["write", "--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "benchmarks: expected measurements of this machine, these versions and this code, found "
        "none: run `make bench` first\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_speed_without_the_others_is_refused(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "versions", lambda: {"keras": "3.15.1", "torch": None})
    assert command.main(["cnn", "--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "benchmarks: expected all that is compared, found no torch: `make bench` installs it into "
        ".venv-bench\n"
    )


def test_other_folders_do_not_touch_the_docs(journal, tmp_path, monkeypatch):
    fill(journal)
    monkeypatch.setattr(command, "identity", lambda: "this")
    assert command.main(["write", "--folder", str(tmp_path)]) == 0
    document = json.loads((tmp_path / "benchmarks.json").read_text(encoding="utf-8"))
    assert page(document) == (tmp_path / "benchmarks.md").read_text(encoding="utf-8")


# ── the GPU's benchmark ──────────────────────────────────────────────────────────────────────


def fake_gpu_answers(task, limit):
    if task["part"] == "check":
        return {"device": "H100", "cnn: lanes bit-equal": True, "cnn: equal to Keras": True}
    if task["part"] == "torch":
        return {"skipped": "PyTorch is not installed"}
    seconds = {"keras": 4.0 if task.get("steps") == 1 else 2.0}
    return {"epoch_seconds": seconds.get(task["part"], 0.5), "epochs": 3}


def test_the_gpus_document_becomes_a_table(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "ask", fake_gpu_answers)
    document = gpu.carry_out("gpu", share=1.0, seconds=60, say=lambda text: None)
    assert set(document["workloads"]) == {"model-8", "dense", "cnn", "fashion-cnn"}
    lines = gpu.table(document).splitlines()
    assert "measured on H100" in lines[0] and "Checks: all passed." in lines[0]
    # 20,480 images in half a second, times the seeds; Keras in two seconds
    assert lines[4] == (
        "| `model-8` | 41.0 | 327.7 | 1,310.7 | 5,242.9 | 5.1 | 10.2 | – | – | 128.0 × "
        "| 20 ×: yes |"
    )
    slow = {"images_per_second": 10_240.0 * 4.9}
    best = {"Keras": {}, "Keras, 16 steps a call": {"images_per_second": 10_240.0}}
    document["workloads"]["cnn"] |= {"32": slow, **best}
    kept = gpu.table({**document, "added": [("cnn", "1"), ("cnn", "8"), ("cnn", "PyTorch")]})
    assert "| 4.9 × | 5 ×: **no** |" in kept
    assert "minutes later on such a card: 1 seed; 8 seeds." in kept
    assert gpu.table({**document, "note": "Older."}).splitlines()[0].endswith("one seed. Older.")
    path = tmp_path / "gpu.json"
    assert gpu.measured(path) is None
    path.write_text(json.dumps(document))
    assert gpu.measured(path) == gpu.table(document)
    path.write_text(json.dumps({**document, "device": "cpu"}))
    assert gpu.measured(path) is None


def test_the_gpus_figures_that_targets_need_come_first(monkeypatch):
    asked = []
    monkeypatch.setattr(gpu, "ask", lambda task, limit: asked.append(task) or {})
    gpu.carry_out("gpu", share=1.0, seconds=60, say=lambda text: None)
    assert [each["part"] for each in asked[:3]] == ["check"] * 3
    order = [(each["part"], each["seeds"]) for each in asked[3:]]
    assert order[:20] == [("bakeoff", 32)] * 4 + [("keras", 1)] * 8 + [("torch", 1)] * 8
    assert set(order[20:]) == {("bakeoff", n) for n in (1, 8, 128)}
    for name in gpu.IMAGES:  # one epoch to compile, so many that are timed
        assert gpu_tasks.declared(name).training.epochs >= 1 + gpu_tasks._MOST_EPOCHS


def test_what_a_document_lacks_is_added_to_it(monkeypatch):
    monkeypatch.setattr(gpu, "ask", fake_gpu_answers)
    before = gpu.carry_out("gpu", share=1.0, seconds=60, say=lambda text: None)
    before["workloads"]["cnn"]["8"] = {"skipped": "no time was left"}
    del before["workloads"]["dense"]["PyTorch"]  # skipped by the fake, as every PyTorch
    asked = []

    def noted(task, limit):
        asked.append((task["workload"], task["part"]))
        return fake_gpu_answers(task, limit)

    monkeypatch.setattr(gpu, "ask", noted)
    after = gpu.carry_out("gpu", share=1.0, seconds=60, say=lambda text: None, before=before)
    assert asked.count(("cnn", "bakeoff")) == 1 and ("model-8", "bakeoff") not in asked
    assert after["workloads"]["cnn"]["8"]["epoch_seconds"] == 0.5
    assert ("cnn", "8") in after["added"] and ("dense", "8") not in after["added"]
    assert after["workloads"]["model-8"] == before["workloads"]["model-8"]


def test_a_check_that_fails_or_is_not_done_is_said(monkeypatch):
    for answer, said in (
        ({"dense: lanes bit-equal": False}, "Checks: failed: dense: lanes bit-equal."),
        ({"skipped": "no GPU"}, "Checks: dense: skipped: no GPU; cnn: skipped: no GPU; fashion-"),
    ):
        monkeypatch.setattr(gpu, "ask", lambda task, limit, answer=answer: answer)
        document = gpu.carry_out("gpu", share=1.0, seconds=60, say=lambda text: None)
        assert said in gpu.table(document)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_most_memory_is_that_of_any_process_waited_for_or_not(tmp_path):
    child = "import time; held = b'1' * (90 << 20); print(len(held), flush=True); time.sleep(1)"
    begun = f"subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE)"
    script = f"import subprocess, sys, time; {begun}.stdout.readline(); time.sleep(0.6)"
    took = comparing.timed([sys.executable, "-c", script], log=tmp_path / "log")
    assert 90 << 20 < took["peak_bytes"] < 140 << 20
    assert took["seconds"] > 0.5


@pytest.mark.parametrize(("module", "function"), first_epoch.TIMED)
def test_what_is_timed_until_the_first_epoch_is_there(module, function):
    """It is replaced by name: without it the command ends before an epoch."""
    assert callable(getattr(import_module(f"bakeoff.study.{module}"), function))


def test_a_case_is_trained_in_a_worker_of_its_own():
    """It ended in an error once: the study's folder has to be there."""
    declared = {"layers": [{"dense": 4}], "training": {"epochs": 1}}
    mapping = {"name": "tiny", "data": "mnist", "models": {"mlp": declared}}
    network = recipes.parse(mapping, origin="tiny", folder=Path.cwd()).models["mlp"]
    images = np.zeros((64, 8, 8, 1), np.uint8)
    data = workloads.Material(images, np.arange(64) % 10, 255.0, 10)
    took = scaling._run(network, data, scaling.TrialCase("all", 1))
    assert took["seconds"] > 0 and took["peak_bytes"] > 5e7
