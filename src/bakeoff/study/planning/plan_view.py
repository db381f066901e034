"""A plan for people: the data, the trials, every model's layers, and what a run will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff.analysis.power import about_power
from bakeoff.data import about_pixels
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.architecture import BACKBONE, Architecture, LayerShape
from bakeoff.recipe.dimension import most_settings, short_names
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.recipe.vocabulary.training import option_words
from bakeoff.study.planning.optimizer_words import optimizer_words
from bakeoff.study.planning.plan import ModelPlan, Plan
from bakeoff.study.planning.stages import seeds_in_words, sizes
from bakeoff.study.tuning.samplers import limit
from bakeoff.training.native.load import choose
from bakeoff.utils.machine import available_memory
from bakeoff.utils.text import counted, duration, listed

if TYPE_CHECKING:
    from rich.console import RenderableType


def view(plan: Plan) -> list[RenderableType]:
    """Return the plan for rich to print, one part after the other."""
    from rich.text import Text

    recipe = plan.recipe
    parts: list[RenderableType] = [Text(recipe.title or recipe.name, style="bold")]
    parts += [_about_data(plan), *plan.data.notes, _about_trials(plan)]
    if not recipe.split.folds:
        parts.append(about_power(len(plan.split.test), *sizes(recipe)))
    for model in plan.models:
        parts += ["", Text(f"{model.recipe.name}: {_size(model)}", style="bold")]
        if model.architecture is not None:
            parts.append(_layers(model.architecture))
        if model.recipe.python is not None:
            parts += _about_builder(plan)
        parts += [f"  Warning: {each}" for each in model.remarks]
        parts.append(f"  {_training(model, plan)}")
        parts += [f"  {each}" for each in _searched(model.recipe)]
    return [*parts, "", *_estimate(plan)]


def _searched(model: ModelRecipe) -> list[str]:
    """Say what a model leaves open; what stands above is one of its settings."""
    search = model.search
    if search is None:
        return []
    names = short_names(search.dimensions)
    choices = [f"{names[each.place]}: {each.range_words}" for each in search.dimensions]
    most, count = most_settings(search.dimensions) or search.settings, limit(search)
    few = f", of {most} that there are (grid tries each once)" if most < count else ""
    until = "" if search.minutes is None else f", none begun after {search.minutes:g} min"
    return [
        f"searched before, on validation: {'at most ' * bool(until)}{counted(count, 'setting')} "
        f"({search.sampler}){few}{until}; above stands one of them",
        *(f"  {each}" for each in choices),
    ]


def _about_data(plan: Plan) -> str:
    sizes = [f"{len(part):,} {name}" for name, part in plan.split.parts().items()]
    if plan.recipe.split.folds:
        sizes = [f"{len(plan.split.test):,}"]
    shape = "×".join(str(side) for side in plan.data.input_shape)
    return (
        f"{plan.data.name}: {listed(sizes)} images of {shape}, "
        f"{counted(plan.data.n_classes, 'class', 'classes')}; {about_pixels(plan.data.maximum)}"
    )


def _about_trials(plan: Plan) -> str:
    models = counted(len(plan.models), "model")
    seeds, folds = seeds_in_words(plan.recipe), plan.recipe.split.folds
    beside = f"; baselines: {', '.join(plan.recipe.baselines)}" if plan.recipe.baselines else ""
    networks = f"{counted(plan.networks, 'network')}, each"
    validated = (
        f", validated on {len(plan.split.validation):,}" if len(plan.split.validation) else ""
    )
    parts = (
        f" trained on about {len(plan.split.train):,} images{validated} and tested on the fold "
        "that is left out; then the recommended one on all images"
    )
    trials = f"{networks}{parts}" if folds else counted(plan.trials, "trial")
    trials = f"at most {trials}" if plan.recipe.looks or plan.recipe.race else trials
    return f"{models} × {seeds} = {trials}; selection: {plan.recipe.selection}{beside}"


def _size(model: ModelPlan) -> str:
    known = model.architecture
    if known is None:
        return f"built by {model.recipe.python}, so its layers are known only when it is built"
    still = known.parameters - known.trainable_parameters
    trainable = f" ({known.trainable_parameters:,} trainable)" if still else ""
    return f"{counted(known.parameters, 'parameter')}{trainable}"


def _about_builder(plan: Plan) -> list[str]:
    shape = "×".join(str(side) for side in plan.data.input_shape)
    return [
        f"  gets images of {shape} with pixels in [0, 1], which it need not scale, and ends in a "
        f"softmax over {plan.data.n_classes:,} classes",
    ]


def _layers(architecture: Architecture) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("  layer", overflow="fold")
    table.add_column("output", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    for layer in architecture.layers:
        shape = "×".join(str(side) for side in layer.output_shape)
        name = f"  {_label(layer)}"
        table.add_row(name, shape, f"{layer.parameters:,}", style="dim" if layer.added else None)
    return table


def _label(layer: LayerShape) -> str:
    known = {"scale": "scale to [0, 1]", "residual": "residual, its input added to its output"}
    if layer.kind == BACKBONE:
        once = layer.arguments["how"] == "frozen" and layer.arguments["name"] in BACKBONES
        return f"{layer.label}{': its features are computed once for each image' if once else ''}"
    label = "  " * layer.depth + known.get(layer.kind, layer.label)
    return f"{label} (added)" if layer.added else label


def _training(model: ModelPlan, plan: Plan) -> str:
    training = model.recipe.training
    steps = -(-len(plan.split.train) // training.batch_size)
    text = (
        f"{counted(training.epochs, 'epoch')} of {counted(steps, 'batch', 'batches')} "
        f"of {training.batch_size:,}, {optimizer_words(training.optimizer)}"
    )
    text = ", ".join([text, *option_words(training.options.unusual())])
    if model.seconds_per_trial is None:
        return text
    folds = f" of {model.networks} folds" if plan.recipe.split.folds else ""
    return f"{text}; about {duration(model.seconds_per_trial, rough=True)} a trial{folds}"


def _estimate(plan: Plan) -> list[str]:
    unit = "network" if plan.recipe.split.folds else "trial"
    if plan.cluster is not None:
        networks = _searched_first(plan.recipe, counted(plan.networks, unit))
        return plan.cluster.sentences(networks, seconds=plan.seconds)
    lines = []
    if plan.seconds is None or plan.memory is None:
        lines.append("No estimate of time and memory: not every model's layers are known yet.")
    else:
        workers = counted(plan.workers, unit)
        lines.append(
            f"On this machine, {workers} at a time: about {duration(plan.seconds, rough=True)} and "
            f"{plan.memory / 1e9:.1f} GB of memory. Rough: from a matrix product that did "
            f"{plan.rate / 1e9:.0f} billion operations a second on one core just now."
        )
        free = available_memory()
        if plan.memory > free:
            lines.append(
                f"Only {free / 1e9:.1f} GB of memory are free: a run trains fewer at a time."
            )
    if plan.device == "cpu":
        remark = choose().remark
        lines += [f"Slower than it could be: {remark}."] if remark else []
    if plan.device == "gpu":
        lines.append("That is for the CPU; a run uses the GPU that is here, which is faster.")
    return lines


def _searched_first(recipe: Recipe, networks: str) -> str:
    """Return how many networks are trained, and before them how many settings of searches."""
    searches = [model.search for model in recipe.models.values() if model.search]
    settings = sum(map(limit, searches))
    if not settings:
        return networks
    most = "at most " if any(search.minutes for search in searches) else ""
    return f"{most}{counted(settings, 'setting')} of searches, then {networks},"
