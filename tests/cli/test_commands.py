"""The command line in this process, on a tiny finished study; a few things in real processes.

Oracle: docs/commands.md, the exit codes and lines written out below, the shape of the JSON document
in the design. Cost: 20 s, most of it two real runs of which one is stopped.
Run: pytest tests/cli/test_commands.py
"""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from bakeoff.cli.winner_commands import app
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study import run as studies
from bakeoff.study.compare import compare
from bakeoff.study.executors.interface import Lost
from bakeoff.study.result import Result
from tests.helpers import forked

DOCS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands
COMMAND_NAMES = (
    "new plan run tune status compare report verify look recipes schema doctor "
    "predict export eject serve"
)


def start(*words, **settings):
    return subprocess.Popen([sys.executable, "-m", "bakeoff", *map(str, words)], **settings)


# ── what there is, and where it is written ───────────────────────────────────────────────────


def test_the_commands():
    assert list(COMMANDS) == COMMAND_NAMES.split()


def options(command):
    return [name for each in command.params for name in each.opts if name.startswith("--")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name):
    section = re.search(rf"^## `bakeoff {name}\b.*?(?=^## |\Z)", DOCS, re.S | re.M)
    assert section, f"docs/commands.md has no section on {name}"
    for option in options(COMMANDS[name]):
        if option != "--help":
            assert f"`{option}" in section[0], f"{name} {option} is not in docs/commands.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_documentation_invents_no_option(name):
    section = re.search(rf"^## `bakeoff {name}\b.*?(?=^## |\Z)", DOCS, re.S | re.M)[0]
    rows = re.findall(r"^\| `(--[a-z-]+)", section, re.M)
    assert sorted(rows) == sorted(set(options(COMMANDS[name])) - {"--help"})


def test_help_and_version(call):
    code, out, err = call("--help")
    assert (code, err) == (0, "")
    assert all(name in out for name in COMMANDS)
    assert call()[:2] == (0, out)
    assert call("--version") == (0, "bakeoff 0.2.0.dev0\n", "")
    assert "--keep-sealed" in call("run", "--help")[1]


# ── what the user gets wrong ─────────────────────────────────────────────────────────────────

WRONG = [
    ("rnu", "expected a command, found 'rnu': did you mean run?"),
    (
        "train mine.yaml",
        "expected a command, found 'train': run trains what is missing, opens the test set and "
        "compares",
    ),
    (
        "classify a.png",
        "expected a command, found 'classify': predict says what the winner sees in pictures",
    ),
    ("mine.yaml", "expected a command, found 'mine.yaml': did you mean bakeoff run mine.yaml?"),
    ("--verbose", "unknown option --verbose; known: --version, --help"),
    ("run", "run: expected RECIPE, found nothing: A recipe's path, or the name of a shipped one"),
    ("eject studies/x", "eject: expected --model MODEL, found nothing: Which model"),
    (
        "run digits --only",
        "run: expected a value of --only, found nothing; bakeoff run --help shows what it takes",
    ),
    (
        "run digits --json=true",
        "run: expected --json without a value, found one: leave out '=' and what follows",
    ),
    (
        "run digits --force",
        "run: unknown option --force; known: --out, --seeds, --only, --workers, --device, "
        "--keep-sealed, --open-without, --on, --json, --help",
    ),
    ("run digits --margin 0.1", "run: unknown option --margin; that stands in the recipe"),
    ("version", "expected a command, found 'version': did you mean bakeoff --version?"),
    ("help run", "expected a command, found 'help': did you mean bakeoff --help?"),
    ("RUN digits", "expected a command, found 'RUN': did you mean run?"),
    ("run digits --seed 3", "run: unknown option --seed; did you mean --seeds?"),
    ("run digits --epochs 4", "run: unknown option --epochs; that stands in the recipe"),
    ("run digits --epoch 3", "run: unknown option --epoch; that stands in the recipe"),
    ("export x --models cnn", "export: unknown option --models; did you mean --model?"),
    ("new digits --out x", "new: unknown option --out; known: --tune, --help"),
    ("run digits --seeds many", "--seeds: expected a whole number, found 'many'"),
    ("run digits --seeds 0", "--seeds: expected at least 1, found 0"),
    ("run digits --workers 0", "--workers: expected at least 1, found 0"),
    ("run digits --device tpu", "--device: expected cpu or gpu, found 'tpu'"),
    (
        "run digits --only cn",
        "--only: expected a model of the recipe (small-mlp, mlp, regularised-mlp, cnn), found 'cn'",
    ),
    (
        "run diggits",
        "recipe 'diggits': expected a recipe file or the name of a shipped recipe, found neither; "
        "did you mean digits?",
    ),
    (
        "look digits more",
        "look: expected no more, found also more",
    ),
    (
        "look minst",
        "expected a data set (digits, mnist, fashion-mnist), a folder of images, an npz, CSV, "
        "IDX or Parquet file, or a recipe, found 'minst'; did you mean mnist?",
    ),
    ("look digits --image 1797", "--image: expected a position from 0 to 1,796, found 1,797"),
    (
        "status nowhere",
        "nowhere: expected a study's folder, found no study.json in it: name the folder that "
        "`bakeoff run` printed, for instance studies/digits",
    ),
    (
        "compare",
        "compare: expected STUDY..., found nothing: Folders of studies that share one test set",
    ),
    ("compare a --csv --json", "compare: expected one form, found --json and --csv: choose one"),
    (
        "new nowhere",
        "expected a folder of images, an npz, CSV, IDX or Parquet file, or a data set (digits, "
        "mnist, fashion-mnist), found 'nowhere'",
    ),
]


@pytest.mark.parametrize(("words", "expected"), WRONG, ids=[words for words, _ in WRONG])
def test_a_user_error_is_one_line_and_exit_code_2(words, expected, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(*words.split()) == (2, "", f"bakeoff: {expected}\n")
    assert list(tmp_path.iterdir()) == []


def test_debugging_shows_the_traceback(call, monkeypatch):
    monkeypatch.setenv("BAKEOFF_DEBUG", "1")
    code, _, err = call("plan", "nothing")
    assert code == 2
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-1].startswith("bakeoff: recipe 'nothing': expected a recipe file")


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


def test_the_unexpected_is_one_line_too(call, monkeypatch):
    monkeypatch.setattr(studies, "run", failing(RuntimeError("two\nlines")))
    code, out, err = call("run", "digits")
    assert (code, out) == (1, "")
    assert re.fullmatch(
        r"bakeoff: unexpected RuntimeError: two lines \(test_commands\.py:\d+\): this should not "
        r"happen; BAKEOFF_DEBUG=1 shows more, please report it\n",
        err,
    )


def test_ctrl_c_says_how_to_go_on(call, monkeypatch):
    monkeypatch.setattr(studies, "run", failing(KeyboardInterrupt()))
    monkeypatch.setattr(sys, "argv", ["/somewhere/bakeoff"])
    assert call("run", "digits", "--out", "my studies/d") == (
        130,
        "",
        "bakeoff: interrupted; what is finished is kept, and the same command goes on: "
        "/somewhere/bakeoff run digits --out 'my studies/d'\n",
    )
    monkeypatch.setattr(sys, "argv", ["/my programs/bakeoff"])
    assert call("run", "digits")[2].endswith("goes on: '/my programs/bakeoff' run digits\n")
    monkeypatch.setattr("bakeoff.study.tuning.tune.tune", failing(KeyboardInterrupt()))
    assert call("tune", "digits")[2].endswith("goes on: '/my programs/bakeoff' tune digits\n")


def test_tune_ends_with_a_command_to_copy(call, monkeypatch, finished_study):
    monkeypatch.setattr("bakeoff.study.tuning.tune.tune", lambda *_, **__: ())
    assert call("tune", "digits", "--out", str(finished_study))[1] == (
        f"The study has been tested: bakeoff compare {finished_study}\n"
    )
    assert call("tune", "digits", "--out", "my studies/d")[1] == (
        "To train what was chosen with fresh seeds, and test it: bakeoff run digits --out 'my "
        "studies/d'\n"
    )


def test_being_told_to_end_is_like_ctrl_c(call, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(studies, "run", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    assert call("run", "digits")[0] == 130
    assert signal.getsignal(signal.SIGTERM) is before


# ── run ──────────────────────────────────────────────────────────────────────────────────────


def test_running_a_finished_study_shows_its_table_again(tiny_study, call):
    code, out, _ = call("run", tiny_study.parent / "tiny.yaml", "--out", tiny_study)
    assert code == 0
    assert out.startswith("Two tiny networks\n")
    assert re.search(r"^(Use|No winner|Cannot say|The baseline|Nothing here) ", out, re.M)
    assert out.endswith(f"Report: {tiny_study}/report.html\n")
    assert len(list(tiny_study.glob("openings/*"))) == 1


KEYS = {
    "": "study data seeds test_openings models baselines comparisons recommended findings",
    "data": "name train validation test hash",
    "models": "name parameters selected_epochs seconds_per_trial prediction_seconds "
    "batch_prediction_seconds group accuracy loss "
    "balanced_accuracy macro_f1 per_class_accuracy",
    "baselines": "name accuracy",
    "comparisons": "a b difference ci df p p_holm verdict probability_a_better",
}


def keys_missing(document):
    parts = {"": document, "data": document["data"]}
    parts |= {name: document[name][0] for name in ("models", "baselines") if document[name]}
    if document["comparisons"]:
        parts["comparisons"] = document["comparisons"][0]
    return [
        f"{part}.{key}" for part in parts for key in KEYS[part].split() if key not in parts[part]
    ]


def test_the_json_document_of_run_is_that_of_compare(tiny_study, call):
    code, out, _ = call("run", tiny_study.parent / "tiny.yaml", "--out", tiny_study, "--json")
    document = json.loads(out)
    assert code == 0
    assert keys_missing(document) == []
    assert document == json.loads(call("compare", tiny_study, "--json")[1])
    assert set(document["models"][0]["accuracy"]) == {"mean", "ci", "per_seed"}
    assert set(document["recommended"]) >= {"model", "reason"}
    assert set(document["headline"]) == {"case", "model", "models", "text", "reason"}


@pytest.mark.usefixtures("its_jobs_in_process")
def test_a_study_kept_sealed(call, tmp_path, finished_study):
    words = ["run", finished_study.parent / "tiny.yaml", "--out", tmp_path / "s", "--keep-sealed"]
    code, out, err = call(*words, "--json")
    document = json.loads(out)
    assert code == 0
    assert err.splitlines()[0] == "training: 6 to do"
    assert keys_missing(document) == []
    assert (document["test_openings"], document["missing"]) == (0, [])
    assert (document["changed"], document["environments"]) == ([], {})
    told = json.loads(call("status", tmp_path / "s", "--json")[1])
    assert (told["changed"], told["environments"]) == ([], {})
    assert told["environment"] == document["environment"]
    assert document["recommended"] is None
    model = document["models"][0]
    assert model["accuracy"] == {"mean": None, "ci": None, "per_seed": None}
    assert model["seeds"] == [0, 1]
    assert all(0 < accuracy < 1 for accuracy in model["validation"]["accuracy"])
    assert [each["name"] for each in document["baselines"]] == ["majority", "logistic"]

    code, out, err = call(*words)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "tiny: 4 of 4 trials done"
    assert "The test set is sealed." in out
    assert f"To go on: bakeoff run {tmp_path}/s/recipe.yaml --out {tmp_path}/s" in out
    assert not (tmp_path / "s" / "openings").exists()


@pytest.mark.usefixtures("its_jobs_in_process")
def test_only_one_model(call, tmp_path, finished_study):
    recipe = finished_study.parent / "tiny.yaml"
    code, out, _ = call("run", recipe, "--out", tmp_path / "s", "--only", "line", "--seeds", "1")
    assert code == 0
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0] == "tiny: 1 of 2 trials done"
    assert lines[1].split()[:3] == ["model", "done", "missing"]
    assert lines[2].split() == ["mlp", "0"]
    assert lines[3].split()[:2] == ["line", "0"]
    assert "Baselines not fitted yet: majority, logistic." in lines
    states = json.loads(call("status", tmp_path / "s", "--json")[1])
    assert states["trials"] == [
        {"model": "mlp", "seed": 0, "state": "missing", "epochs": 0},
        {"model": "line", "seed": 0, "state": "finished", "epochs": 2},
    ]
    assert (states["finished"], states["declared"], states["test_openings"]) == (1, 2, 0)
    code, out, err = call("compare", tmp_path / "s")
    assert (code, out) == (2, "")
    assert "expected a study whose test set has been opened" in err
    assert err.count("\n") == 1


def test_lost_trials_are_named_and_the_exit_code_is_1(tiny_study, call, monkeypatch):
    opened = compare([tiny_study]).comparison
    lost = (Lost("mlp seed 1", "its worker process was killed (out of memory?)"),)
    result = Result(StudyFolder(tiny_study), opened, lost)
    monkeypatch.setattr(studies, "run", lambda *_, **__: result)
    code, out, err = call("run", "digits")
    assert code == 1
    assert out.startswith("Two tiny networks\n")
    assert err == (
        "bakeoff: mlp seed 1 was lost: its worker process was killed (out of memory?)\n"
        "bakeoff: the same command tries once more what was lost\n"
    )


# ── the others ───────────────────────────────────────────────────────────────────────────────


def test_compare_in_every_form(tiny_study, call):
    table = call("compare", tiny_study)
    assert table[0] == 0
    assert table[1].startswith("Two tiny networks\n")
    assert call("compare", tiny_study, "--markdown")[1].startswith("### Two tiny networks\n")
    assert call("compare", tiny_study, "--csv")[1].startswith("name,kind,study,")
    assert "\\begin{tabular}" in call("compare", tiny_study, "--latex")[1]


def test_colours_are_for_terminals_and_only_where_they_are_wanted(tiny_study, call, monkeypatch):
    plain = {form: call("compare", tiny_study, *form)[1] for form in ((), ("--csv",), ("--json",))}
    assert all(line == line.rstrip(" ") for line in plain[()].splitlines())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mserious" in call("compare", tiny_study)[1]
    for form in (("--csv",), ("--json",)):
        assert call("compare", tiny_study, *form)[1] == plain[form]
    with monkeypatch.context() as there:
        there.setenv(
            "TERM", "dumb"
        )  # an editor's window: no colours, and no spaces that fill lines
        dumb = call("compare", tiny_study)[1]
    assert "\x1b" not in dumb and all(line == line.rstrip(" ") for line in dumb.splitlines())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1m" in call("compare", tiny_study)[1]  # bold is no colour
    assert not re.search(r"\x1b\[[\d;]*3\d", call("compare", tiny_study)[1])


@pytest.mark.usefixtures("its_jobs_in_process")
def test_compare_two_studies_on_one_test_set(tiny_study, call, tmp_path):
    other = tmp_path / "other.yaml"
    text = (tmp_path / "tiny.yaml").read_text().replace("name: tiny", "name: other")
    other.write_text(text.replace("line:", "straight:"))
    assert call("run", other, "--out", tmp_path / "other")[0] == 0
    code, out, _ = call("compare", tiny_study, tmp_path / "other", "--json")
    assert code == 0
    assert len(json.loads(out)["models"]) == 4


def test_report_writes_the_page_again(tiny_study, call):
    page = tiny_study / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert call("report", tiny_study) == (0, f"Report: {page}\n", "")
    assert page.read_bytes() == before


def test_recipes_are_listed_with_their_titles(call):
    code, out, _ = call("recipes")
    assert code == 0
    assert re.search(r"^digits +Handwritten digits, four small networks$", out, re.MULTILINE)


def test_the_schema_is_json(call):
    code, out, _ = call("schema")
    assert code == 0
    assert json.loads(out)["title"] == "Bakeoff recipe"


# ── real processes ───────────────────────────────────────────────────────────────────────────

LIGHT = """
import sys
from bakeoff.cli import main
for words in ({commands}):
    assert main(words) == 0, words
print({{"keras", "jax", "vl_convert", "sklearn", "scipy.stats", "PIL"}} & set(sys.modules))
"""


def test_the_small_commands_load_nothing_heavy(tiny_study):
    small = [["--help"], ["recipes"], ["schema"], ["status", str(tiny_study)]]
    small += [["compare", str(tiny_study)], ["verify", str(tiny_study)], ["plan", "digits"]]
    code = LIGHT.format(commands=", ".join(map(repr, small)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "set()"


def test_help_and_status_load_neither_numpy_nor_pydantic(tiny_study):
    """Each would take as long as all the rest of them; filelock and statistics a tenth."""
    slow = {"numpy", "pydantic", "scipy", "filelock", "statistics", "bakeoff.recipe.types"}
    code = (
        "import sys; from bakeoff.cli import main; assert main(['--help']) == 0; "
        f"assert main(['status', {str(tiny_study)!r}]) == 0; print({slow} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_compare_loads_no_tools_of_numpy_and_nothing_of_training(tiny_study):
    slow = {"numpy.f2py", "numpy.testing", "scipy.stats", "sklearn", "PIL"}
    slow |= {f"bakeoff.study.{name}" for name in ("run", "winner.predictions", "collect_images")}
    code = (
        "import sys; from bakeoff.cli import main; "
        f"assert main(['compare', {str(tiny_study)!r}]) == 0; print({slow} & set(sys.modules)); "
        "import numpy; print(numpy.testing.__name__, numpy.f2py.__doc__ is None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-2:] == ["set()", "numpy.testing False"], done.stderr


def test_help_without_docstrings():
    """U9: PYTHONOPTIMIZE=2 took the commands' help away."""
    both = "from bakeoff.cli import main; print(main(['--help']), main(['schema']))"
    plain, optimized = (
        subprocess.run([sys.executable, *flags, "-c", both], capture_output=True, text=True)
        for flags in ([], ["-OO"])
    )
    assert (optimized.returncode, optimized.stderr) == (0, "")
    assert optimized.stdout.endswith("}\n0 0\n")
    assert optimized.stdout == plain.stdout


def test_a_full_disk_under_standard_output_is_named(tmp_path):
    """U1: and it alone is called standard output."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bakeoff", "recipes"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    text = "bakeoff: standard output: no space left on device: see where it goes\n"
    assert (done.returncode, done.stderr) == (1, text)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(71, "Protocol error"), r"unexpected OSError: .*Protocol error \(.*"),
        *(
            (
                OSError(24, "Too many open files", *file),
                r"too many open files: raise the limit on them \(ulimit -n\), or have fewer "
                "--workers, and try again",
            )
            for file in ((), ("/x/y",))
        ),
        (OSError(71, "Protocol error", "/x/y"), r"/x/y: protocol error: see what is there"),
        (BrokenPipeError(32, "Broken pipe"), r"unexpected BrokenPipeError: .*"),
    ],
)
def test_what_the_system_refuses_is_not_blamed_on_standard_output(error, said, call, monkeypatch):
    """U1."""
    monkeypatch.setattr(studies, "run", failing(error))
    code, out, err = call("run", "digits")
    assert (code, out) == (1, "")
    assert re.fullmatch(f"bakeoff: {said}\n", err)


def test_nobody_hears_an_error_where_standard_error_is_a_broken_pipe():
    """B11."""
    process = start("plan", "nothing", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stderr.close()
    assert process.stdout.read() == b""
    process.stdout.close()
    assert process.wait() == 2


STOPPED = """
name: stopped
data: digits
seeds: 2
baselines: []
models:
  long: {layers: [{dense: 300}, {dense: 300}], training: {epochs: 8, batch_size: 4}}
"""


def test_ctrl_c_stops_a_real_run_and_the_same_command_finishes_it(tmp_path):
    (tmp_path / "stopped.yaml").write_text(STOPPED)
    words = ["run", "stopped.yaml", "--workers", "1", "--json"]
    # a shell lets what it starts in the background ignore Ctrl-C, and that is inherited
    signal.signal(signal.SIGINT, signal.default_int_handler)
    terminal, theirs = pty.openpty()
    process = start(
        *words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    said = b""
    while not re.search(rb"long seed 0 .*epoch [1-9]", said):
        said += os.read(terminal, 1 << 16)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert time.monotonic() - begun < 3
    try:
        while piece := os.read(terminal, 1 << 16):
            said += piece
    except OSError:  # the terminal is gone with its last user
        os.close(terminal)
    assert process.stdout.read() == b""
    process.stdout.close()
    assert (
        said.decode()
        .splitlines()[-1]
        .endswith(
            "bakeoff: interrupted; what is finished is kept, and the same command goes on: "
            "python -m bakeoff run stopped.yaml --workers 1 --json"
        )
    )
    assert "Traceback" not in said.decode()

    line = " ".join(["bakeoff", *words])
    code, printed, errors = forked.command(line, folder=tmp_path, output=tmp_path / "printed")
    assert code == 0, errors
    assert keys_missing(json.loads(printed)) == []
    assert "long seed 1" in errors
    assert (tmp_path / "studies" / "stopped" / "report.html").is_file()
