"""Every command and option. A command calls one thing, shows what it returns, gives an exit code.

Each imports what it needs when it is called, so that `--help` and the small ones start at once.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bakeoff.cli.options import (
    DeviceOption,
    JsonOption,
    OnOption,
    OutOption,
    RecipeArgument,
    StudyArgument,
    one_form,
    whole,
    workers_option,
)
from bakeoff.cli.output import remark, show, show_json, show_text, standard_output_kept
from bakeoff.utils.text import shell_command
from bakeoff.utils.user_paths import current_folder

if TYPE_CHECKING:
    from bakeoff.study.result import Result

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        show(f"bakeoff {version('bakeoff')}")
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
def new(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A folder of images, an npz, CSV, IDX or Parquet file, or a data set's name.",
        ),
    ],
    tune: Annotated[
        bool, typer.Option("--tune", help="Leave choices open in its models, for a search.")
    ] = False,
) -> None:
    """Write a recipe to start from, for a folder of images or a data set, into this folder."""
    from bakeoff.cli import new as scaffold

    written = scaffold.new(data, folder=current_folder(), tune=tune)
    for note in written.notes:
        remark(note)
    show(f"{written.path.name} written. Change it as you like; then:")
    steps = ("plan", "tune", "run") if tune else ("plan", "run")
    show(*(f"  {shell_command(step, written.path.name)}" for step in steps))


@app.command()
def plan(recipe: RecipeArgument, on: OnOption = None, json: JsonOption = False) -> None:
    """Show layers, shapes, parameters and an estimate of time and memory; train nothing."""
    from bakeoff import recipe as recipes
    from bakeoff.study.planning import plan as plans
    from bakeoff.study.planning.plan_view import view

    planned = plans.plan(recipes.load(recipe), on=on)
    if json:
        show_json(plans.to_json(planned))
    else:
        show(*view(planned))


@app.command()
def run(
    recipe: RecipeArgument,
    out: OutOption = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", parser=whole("--seeds"), help="Seeds 0 … N-1 instead."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Train this model, open nothing. Repeatable."),
    ] = None,
    workers: Annotated[int | None, workers_option("Trials")] = None,
    device: DeviceOption = None,
    keep_sealed: Annotated[
        bool, typer.Option("--keep-sealed", help="Train everything, open nothing.")
    ] = False,
    open_without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL:SEED", help="Open without this trial, untrained; recorded. Repeatable."
        ),
    ] = None,
    on: OnOption = None,
    json: JsonOption = False,
) -> int:
    """Train what is missing, open the test set, print the table, write the report.

    Stop it whenever you like: the same command goes on.
    """
    from bakeoff.study.executors.fork_server import begun_early

    with standard_output_kept(), begun_early(wanted=on is None):
        from bakeoff import recipe as recipes
        from bakeoff.study.progress.terminal_progress import progress
        from bakeoff.study.run import run

        declared = recipes.load(recipe)
        with progress() as watcher:
            result = run(
                declared,
                out=out,
                seeds=seeds,
                only=only or (),
                workers=workers,
                device=device,  # type: ignore[arg-type]
                keep_sealed=keep_sealed,
                open_without=open_without or (),
                on=on,
                watcher=watcher,
            )
    _print_result(result, json=json)
    for lost in result.lost:
        remark(f"bakeoff: {lost.label} was lost: {lost.reason}")
    if result.advice:
        remark(f"bakeoff: {result.advice}")
    elif result.lost:
        remark("bakeoff: the same command tries once more what was lost")
    return 1 if result.lost or result.waiting_for else 0


def _print_result(result: "Result", *, json: bool) -> None:
    from bakeoff.study import status as status_page
    from bakeoff.study.opening import sealed_document

    if result.opened is not None:
        if json:
            show_json(result.to_json())
        else:
            show(result.table(), "", f"Report: {result.folder.report_file}")
        return
    now = status_page.status(result.folder.path)
    if json:
        show_json(sealed_document.to_json(now))
    else:
        show(*status_page.views(now))


@app.command()
def tune(
    recipe: RecipeArgument,
    out: OutOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Search this model alone. Repeatable."),
    ] = None,
    workers: Annotated[int | None, workers_option("Settings")] = None,
    device: DeviceOption = None,
    on: OnOption = None,
    json: JsonOption = False,
) -> None:
    """Search the choices that a recipe leaves open, on validation only.

    Stop it whenever you like: the same command goes on. `bakeoff run` then trains what was chosen.
    """
    from bakeoff import recipe as recipes
    from bakeoff.report.words import about_search
    from bakeoff.storage.study_folder import StudyFolder, place_of
    from bakeoff.study.progress.terminal_progress import progress
    from bakeoff.study.tuning import tune as tuning

    declared = recipes.load(recipe)
    with standard_output_kept(), progress() as watcher:
        found = tuning.tune(
            declared,
            out=out,
            only=only or (),
            workers=workers,
            device=device,  # type: ignore[arg-type]
            on=on,
            watcher=watcher,
        )
    if json:
        show_json(tuning.to_json(found))
        return
    for each in found:
        show(about_search.table(each))
    folder = StudyFolder(place_of(declared.name, out))
    if folder.openings():
        show(f"The study has been tested: {shell_command('compare', folder.path)}")
        return
    where = () if out is None else ("--out", out)
    command = shell_command("run", recipe, *where)
    show(f"To train what was chosen with fresh seeds, and test it: {command}")


@app.command()
def status(study: StudyArgument, json: JsonOption = False) -> None:
    """Say what is done, what is missing, and how to go on."""
    from bakeoff.study import status as status_page

    now = status_page.status(study)
    if json:
        show_json(status_page.to_json(now))
    else:
        show(*status_page.views(now))


@app.command()
def compare(
    studies: Annotated[
        list[Path],
        typer.Argument(metavar="STUDY...", help="Folders of studies that share one test set."),
    ],
    json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table in Markdown.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print the table in LaTeX.")] = False,
) -> None:
    """Show table and verdicts again, from what is on disk."""
    from bakeoff import report
    from bakeoff.storage import lost_weights
    from bakeoff.storage.study_folder import StudyFolder
    from bakeoff.study.compare import compare
    from bakeoff.utils import lean_scipy  # noqa: F401

    form = one_form(
        "compare", {"--json": json, "--markdown": markdown, "--csv": csv, "--latex": latex}
    )
    result = compare(studies)
    for folder in map(StudyFolder, studies):
        gone = lost_weights.advice(folder, lost_weights.without_weights(folder))
        if gone:
            remark(gone)
    writers = {"--markdown": report.markdown, "--csv": report.csv, "--latex": report.latex}
    if form is None:
        show(result.table())
    elif form == "--json":
        show_json(result.to_json())
    else:
        show_text(writers[form](result.comparison))


@app.command()
def report(study: StudyArgument) -> None:
    """Write the HTML report again, and say where it is."""
    from bakeoff.study.compare import compare
    from bakeoff.utils import lean_scipy  # noqa: F401

    result = compare([study])
    result.write()
    show(f"Report: {result.folder.report_file}")


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
    from bakeoff.errors import StorageError
    from bakeoff.storage.study_folder import StudyFolder
    from bakeoff.study.progress.terminal_progress import progress
    from bakeoff.study.retrain import require_finished
    from bakeoff.study.retrain import retrain as train_again
    from bakeoff.study.verify import verify as check

    folder = StudyFolder(study)
    if retrain is not None:
        with suppress(StorageError):  # what is damaged is told with all that is
            require_finished(folder, retrain)
    checked = check(folder)
    show(*checked.differences)
    for note in checked.notes:
        remark(note)
    show(checked.summary)
    if retrain is None:
        return 1 if checked.differences else 0
    with standard_output_kept(), progress() as watcher:
        again = train_again(folder, retrain, watcher=watcher)
    show(again.sentence)
    return 1 if checked.differences or again.files else 0


@app.command()
def look(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A data set's name, a folder of images, a file of them, or a recipe.",
        ),
    ],
    image: Annotated[
        int | None,
        typer.Option(
            metavar="I", parser=whole("--image"), help="Show this image, and its numbers."
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save what is shown as a PNG, too.")
    ] = None,
) -> None:
    """Explore a data set: counts, a grid of images, one image as picture and numbers."""
    from bakeoff.cli import look as looking

    loaded = looking.load(data)
    if save is not None:
        looking.save(loaded, save, position=image)
    show(*(looking.overview(loaded) if image is None else looking.image(loaded, image)))
    if save is not None:
        remark(f"saved {save}")


@app.command()
def recipes() -> None:
    """List the recipes that come with Bakeoff."""
    from bakeoff import recipe

    names = recipe.shipped()
    wide = max(len(name) for name in names)
    show(*(f"{name:{wide}}  {recipe.load(name).title or ''}" for name in names))


@app.command()
def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    from bakeoff.recipe.json_schema import schema

    show_json(schema())


@app.command()
def doctor() -> int:
    """Say whether this machine is ready, what is where, and what to do if something is wrong."""
    from bakeoff.cli.doctor import MARKS, examine

    wrong = False
    for diagnostic in examine():
        advice = f": {diagnostic.advice}" if diagnostic.advice else ""
        show(f"{MARKS[diagnostic.state]} {diagnostic.name}: {diagnostic.found}{advice}")
        wrong = wrong or diagnostic.state == "bad"
    return 1 if wrong else 0
