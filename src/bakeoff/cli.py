"""The command line: parse, call, print. Results go to standard output, the rest to standard error.

Exit codes: 0 done; 1 something failed while running; 2 what the user gave is wrong; 130 stopped.
"""

import os
import shlex
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.errors import BakeoffError, Interrupted, UsageError

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code.

    Parameters
    ----------
    argv : the words after the program's name; those of this process by default
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show "±" is no reason
    try:
        with _termination_is_ctrl_c():
            return _carry_out(words)
    except KeyboardInterrupt:
        return _say(Interrupted(_how_to_go_on(words)))
    except BrokenPipeError:
        return _reader_is_gone()
    except BakeoffError as error:
        return _say(error)
    except Exception as error:  # ours or a library's: one line all the same
        return _say(BakeoffError(_unexpected(error)))


def _carry_out(words: list[str]) -> int:
    from bakeoff import usage

    command = typer.main.get_command(app)
    usage.check_command(words, command)
    try:
        with command.make_context("bakeoff", words or ["--help"]) as context:
            code = command.invoke(context)
    except typer.Exit as done:
        code = done.exit_code
    except Exception as error:
        raise usage.as_usage_error(error, words) or error from None
    sys.stdout.flush()
    return int(code or 0)


def _say(error: BakeoffError) -> int:
    if os.environ.get("BAKEOFF_DEBUG"):
        traceback.print_exc()
    sys.stderr.write(f"bakeoff: {error}\n")
    return error.exit_code


def _unexpected(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unexpected {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}): "
        "this should not happen; BAKEOFF_DEBUG=1 shows more, please report it"
    )


def _how_to_go_on(words: Sequence[str]) -> str:
    if not words or words[0] != "run":
        return "interrupted"
    program = sys.argv[0]
    if Path(program).name == "__main__.py":
        program = "python -m bakeoff"
    elif shutil.which("bakeoff") == program:
        program = "bakeoff"
    return (
        "interrupted; what is finished is kept, and the same command goes on: "
        f"{program} {shlex.join(words)}"
    )


def _reader_is_gone() -> int:
    """Give up quietly: whoever read our output has seen enough (`bakeoff look mnist | head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


@contextmanager
def _termination_is_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the program as Ctrl-C does: with its workers, and a sentence."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# ── output ───────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _standard_output_kept() -> Iterator[None]:
    """Send whatever libraries and worker processes print to standard error meanwhile."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _print(*renderables: Any) -> None:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Plain(file=sys.stdout, highlight=False, markup=False, emoji=False)
    for each in renderables:
        console.print(each, soft_wrap=isinstance(each, str))


def _print_json(document: Any) -> None:
    import json

    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


# ── what options take ────────────────────────────────────────────────────────────────────────


def _whole(option: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{option}: expected a whole number, found {text!r}") from None

    return read


def _device(text: str) -> str:
    if text not in ("cpu", "gpu"):
        raise UsageError(f"--device: expected cpu or gpu, found {text!r}")
    return text


RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe's path, or the name of a shipped one.")
]
StudyArgument = Annotated[
    Path, typer.Argument(metavar="STUDY", help="A study's folder, such as studies/digits.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output instead.")
]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        _print(f"bakeoff {version('bakeoff')}")
        raise typer.Exit


@app.callback()
def bakeoff(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Compare small image classifiers honestly."""


# ── commands ─────────────────────────────────────────────────────────────────────────────────


@app.command()
def run(
    recipe: RecipeArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The study's folder.", show_default="studies/NAME"),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", parser=_whole("--seeds"), help="Seeds 0 … N-1 instead."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Train this model, open nothing. Repeatable."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=_whole("--workers"),
            help="Trials at a time.",
            show_default="one a core; one on a GPU",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|gpu",
            parser=_device,
            help="Where to train.",
            show_default="gpu where JAX has one",
        ),
    ] = None,
    keep_sealed: Annotated[
        bool, typer.Option("--keep-sealed", help="Train everything, open nothing.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Train what is missing, open the test set, print the table, write the report.

    Stop it whenever you like: the same command goes on.
    """
    from bakeoff import recipe as recipes
    from bakeoff import study
    from bakeoff.progress import progress

    declared = recipes.load(recipe)
    with _standard_output_kept(), progress() as watcher:
        result = study.run(
            declared,
            out=out,
            seeds=seeds,
            only=only or (),
            workers=workers,
            device=device,  # type: ignore[arg-type]
            keep_sealed=keep_sealed,
            watcher=watcher,
        )
    _print_result(result, json=json)
    for lost in result.lost:
        sys.stderr.write(f"bakeoff: {lost.label} was lost: {lost.reason}\n")
    if result.lost:
        sys.stderr.write("bakeoff: the same command tries what was lost once more\n")
    return 1 if result.lost else 0


def _print_result(result: Any, *, json: bool) -> None:
    from bakeoff import standing

    if not result.sealed:
        if json:
            _print_json(result.to_json())
        else:
            _print(result.table(), "", f"Report: {result.folder.report_file}")
        return
    now = standing.standing(result.folder)
    if json:
        _print_json(standing.sealed_json(now))
    else:
        _print(standing.title(now), standing.table(now), "", *standing.sentences(now))


@app.command()
def status(study: StudyArgument, json: JsonOption = False) -> None:
    """Say what is done, what is missing, and how to go on."""
    from bakeoff import standing
    from bakeoff.store import StudyFolder

    now = standing.standing(StudyFolder(study))
    if json:
        _print_json(standing.to_json(now))
    else:
        _print(standing.title(now), standing.table(now), "", *standing.sentences(now))


@app.command()
def plan(recipe: RecipeArgument, json: JsonOption = False) -> None:
    """Show layers, shapes, parameters and an estimate of time and memory; train nothing."""
    from bakeoff import plan as plans
    from bakeoff import recipe as recipes

    planned = plans.plan(recipes.load(recipe))
    if json:
        _print_json(plans.to_json(planned))
    else:
        _print(*plans.view(planned))


@app.command()
def verify(
    study: StudyArgument,
    retrain: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL:SEED",
            help="Also train this trial again, elsewhere, and compare every byte.",
        ),
    ] = None,
) -> int:
    """Check that every byte is what was recorded."""
    from bakeoff import verify as verification
    from bakeoff.progress import progress
    from bakeoff.store import StudyFolder

    folder = StudyFolder(study)
    checked = verification.verify(folder)
    _print(*checked.differences)
    for note in checked.notes:
        sys.stderr.write(f"{note}\n")
    _print(checked.summary)
    if retrain is None:
        return 1 if checked.differences else 0
    with _standard_output_kept(), progress() as watcher:
        again = verification.retrain(folder, retrain, watcher=watcher)
    _print(again.sentence)
    return 1 if checked.differences or again.files else 0
