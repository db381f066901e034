"""The commands that use a trained model: predict, export, eject, serve."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.commands import app
from bakeoff.cli.options import JsonOption, StudyArgument, one_form, one_of, whole
from bakeoff.cli.output import remark, show, show_json, show_text, standard_output_kept

__all__ = ["app"]


ModelOption = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Which model.", show_default="the recommended one"),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        metavar="S",
        parser=whole("--seed"),
        help="Which of its seeds.",
        show_default="the median one by validation accuracy",
    ),
]
EnsembleOption = Annotated[
    bool, typer.Option("--ensemble", help="Average the probabilities of all seeds.")
]


@app.command()
def predict(
    study: StudyArgument,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...",
            help="Pictures (PNG, JPEG, WebP and others), folders of them, npz files; - reads paths "
            "from standard input.",
        ),
    ],
    model: ModelOption = None,
    seed: SeedOption = None,
    ensemble: EnsembleOption = False,
    adapt: Annotated[
        str,
        typer.Option(
            metavar="auto|always|never",
            parser=one_of("--adapt", "auto", "always", "never"),
            help="Centre, scale and invert a photographed figure as the training images show "
            "figures: auto does so where only that makes it look like them.",
        ),
    ] = "auto",
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    json: JsonOption = False,
) -> int:
    """Say what the winner makes of new pictures."""
    from bakeoff.storage.study_folder import StudyFolder
    from bakeoff.study.winner.trained_model import trained_model
    from bakeoff.use import predict as using

    one_form("predict", {"--json": json, "--csv": csv})
    with standard_output_kept():
        trained = trained_model(StudyFolder(study), model=model, seed=seed, ensemble=ensemble)
        predicted = using.predict_files(
            trained,
            images,
            adapt=adapt,  # type: ignore[arg-type]
            standard_input=sys.stdin,
        )
    for sentence in (*predicted.broken, *predicted.remarks):
        remark(sentence)
    if json:
        show_json(using.to_json(predicted, trained))
    elif csv:
        show_text(predicted.predictions.csv())
    else:
        show(using.table(predicted.predictions))
    return 1 if predicted.broken else 0


@app.command()
def export(
    study: StudyArgument,
    format: Annotated[
        str,
        typer.Option(
            "--format", metavar="keras|onnx|litert|safetensors", help="What file to write."
        ),
    ],
    model: ModelOption = None,
    seed: SeedOption = None,
    ensemble: EnsembleOption = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder to write.",
            show_default="STUDY/exports/MODEL-SEED-FORMAT",
        ),
    ] = None,
) -> None:
    """Write the winner for use without Bakeoff, and check that it predicts the same."""
    from bakeoff.storage.study_folder import StudyFolder
    from bakeoff.study.winner.trained_model import trained_model
    from bakeoff.use.export.export import export

    with standard_output_kept():
        trained = trained_model(StudyFolder(study), model=model, seed=seed, ensemble=ensemble)
        exported = export(trained, format, out=out)  # type: ignore[arg-type]
    remark(f"{trained.title}: {trained.reason}")
    show(exported.sentence)


@app.command()
def eject(
    study: StudyArgument,
    model: Annotated[str, typer.Option(metavar="MODEL", help="Which model.")],
    notebook: Annotated[
        bool, typer.Option("--notebook", help="Write a Jupyter notebook instead of a script.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder to write.", show_default="STUDY-MODEL here"),
    ] = None,
) -> None:
    """Write a plain Keras script that trains a model the same way, without Bakeoff."""
    from bakeoff.storage.study_folder import StudyFolder
    from bakeoff.use.eject import eject

    with standard_output_kept():
        ejected = eject(StudyFolder(study), model, out=out, notebook=notebook)
    show(f"{ejected.program} written. Run it in {ejected.folder}; change it as you like.")


@app.command()
def serve(
    study: StudyArgument,
    port: Annotated[
        int,
        typer.Option(metavar="N", parser=whole("--port"), help="0 takes any that is free."),
    ] = 8000,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A name under which the server may be asked too. Repeatable."
        ),
    ] = None,
    model: ModelOption = None,
    seed: SeedOption = None,
) -> None:
    """Show a study in the browser: live while it trains, then its report, and try the winner."""
    from bakeoff.use.serve.server import serve

    serve(
        study,
        host=host,
        port=port,
        names=tuple(allow_host or ()),
        model=model,
        seed=seed,
        ready=lambda address: remark(f"{address} until you press Ctrl-C"),
    )
