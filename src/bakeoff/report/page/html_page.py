"""report.html: one self-contained page. The same comparison gives the same bytes.

Everything is escaped by the templates; the only ready-made markup is the figures' SVG. The page
has no address in it, no style attribute, and a Content-Security-Policy that would stop anything
but its own style sheet and its own few lines of JavaScript.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from bakeoff.analysis.class_scores import class_scores
from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.wording import seed_list
from bakeoff.report import plots
from bakeoff.report.page import galleries, glossary
from bakeoff.report.page.class_tables import SHADES, about_found_by_model, by_class, found_by_model
from bakeoff.report.page.model_section import Picture, anchor, matrices, model_part
from bakeoff.report.page.results_table import TableRow, results_table, seconds, short_names
from bakeoff.report.page.search_section import search_section
from bakeoff.report.plots import draw
from bakeoff.report.plots.figure import NARROW, PALETTE, WIDE, Figure
from bakeoff.report.plots.matrices import MOST_MODELS
from bakeoff.report.words import about_data, about_scores, about_training, conclusion, wording
from bakeoff.report.words.grouped_findings import grouped
from bakeoff.report.words.protocol_steps import protocol
from bakeoff.utils.text import isolated, sentence

_APART = re.compile(r" %|\bp [<=] ")
_LOW = 186  # pixels of a curve's figure where two stand beside one matrix
_MANY = 5  # models from which their table by class needs the page's width
_LARGE = 5  # models from which other processes save more than they take to start
_OPEN_PAIRS = 3  # up to which every pair stands unfolded in words


class _Compiled(BytecodeCache):
    """Keeps the templates' code for later pages of this process: compiling takes 0.1 s."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def html(comparison: Comparison) -> str:
    """Return the report as one HTML document."""
    environment = Environment(
        loader=PackageLoader("bakeoff.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_kept_together,
        bytecode_cache=_COMPILED,
    )
    figures: list[Figure] = []
    environment.filters["placed"] = lambda figure: draw.place(figures, figure)
    with draw.processes(wanted=len(comparison.models) >= _LARGE) as drawing:
        return draw.filled(glossary.explained(_page(comparison, environment)), figures, drawing)


def _page(comparison: Comparison, environment: Environment) -> str:
    style, script = _style(), _asset("page.js")
    shown = _shown(comparison)
    return environment.get_template("report.html.j2").render(
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        **_headline(comparison),
        **results_table(comparison),
        **_findings(comparison),
        **_data(comparison),
        **_curves(comparison),
        **_wrong(comparison, shown),
        **_pairs(comparison),
        **_costs(comparison),
        search=search_section(comparison),
        models=[
            model_part(comparison, index, full=model.name == shown)
            for index, model in enumerate(comparison.models)
        ],
        shown=shown,
        protocol=protocol(comparison),
        environment=list(_environment(comparison)),
        ledger=[_ledger_line(line, comparison.unit) for line in comparison.ledger],
        unit=comparison.unit,
        studies=wording.studies(comparison),
        glossary=glossary.entries(),
        footer=conclusion.footer(comparison),
        version=comparison.environment.get("bakeoff", ""),
    )


def _shown(comparison: Comparison) -> str | None:
    """Return the model that the page shows in full: the recommended one, or the first."""
    if comparison.recommended:
        return comparison.recommended.model
    return comparison.models[0].name if comparison.models else None


def _headline(comparison: Comparison) -> dict[str, Any]:
    seeded = any(len(model.seeds) > 1 for model in comparison.models)
    others = "networks" if comparison.folded else "seeds"
    bar = f"for other images and other {others}" if seeded else "for other images alone"
    caption = (
        f"Test accuracy. A dot is one {comparison.unit}, the bar the 95 % interval {bar}, its mark "
        "the mean"
    )
    if letters := wording.letters(comparison):
        caption += f"; {letters}"
    dots = None
    if comparison.models:
        wide, narrow = (plots.accuracy_dots(comparison, width=each) for each in (WIDE, NARROW))
        dots = Picture(wide, f"{caption}.", narrow)
    return {
        "heading": wording.heading(comparison),
        "headline": conclusion.headline(comparison),
        "reason": conclusion.reason(comparison),
        "cautions": conclusion.cautions(comparison, found=True),
        "dots": dots,
        "basis": wording.basis(comparison),
    }


def _findings(comparison: Comparison) -> dict[str, Any]:
    """Split what needs acting on from what is good to know; each kind is said once."""
    groups = grouped(comparison)
    return {
        "serious": [group for group in groups if group.severity == "serious"],
        "warnings": [group for group in groups if group.severity == "warning"],
        "notes": [group for group in groups if group.severity == "info"],
        "anchors": {model.name: anchor(index) for index, model in enumerate(comparison.models)},
    }


def _data(comparison: Comparison) -> dict[str, Any]:
    parts = "" if comparison.folded else " in each part"
    classes = plots.classes_counted(comparison)
    return {
        "data_name": comparison.data.get("name", "data"),
        "about_data": about_data.about_data(comparison),
        "twins": about_data.twins(comparison),
        "counts": Picture(plots.class_counts(comparison), f"Images of {classes}{parts}."),
        "samples": galleries.samples(comparison),
        "about_samples": galleries.about_samples(comparison),
    }


def _curves(comparison: Comparison) -> dict[str, Any]:
    if not any(len(history["epoch"]) for m in comparison.models for history in m.histories):
        return {"all_curves": [], "about_curves": ""}
    drawn = []
    for show in ("accuracy", "loss"):
        wide, narrow = (
            plots.all_curves(comparison, show=show, width=each, height=height)
            for each, height in ((548, 320), (NARROW, 280))
        )
        drawn.append(Picture(wide, "", narrow))
    return {"all_curves": drawn, "about_curves": about_training.about_curves(comparison)}


def _wrong(comparison: Comparison, shown: str | None) -> dict[str, Any]:
    if shown is None:
        return {"wrong": None}
    result = comparison.model(shown)
    scores = class_scores(comparison, shown)
    several = len(comparison.models) > 1
    shared = [galleries.shared_mistakes(comparison), galleries.correct_alone(comparison)]
    return {
        "wrong": {
            "worst": {
                model.name: galleries.worst_mistakes(comparison, model)
                for model in sorted(comparison.models, key=lambda model: model is not result)
            },
            "galleries": [*(shared if several else []), galleries.label_suspects(comparison)],
            "mistakes": about_scores.about_mistakes(comparison, result),
            "matrices": matrices(comparison, result),
            "by_model": found_by_model(comparison) if several else None,
            "about_by_model": about_found_by_model(comparison),
            "many": len(comparison.models) > _MANY,
            "by_class": by_class(comparison, scores),
            "curves": [
                Picture(plots.roc_curves(comparison, shown, scores=scores, height=_LOW), ""),
                Picture(
                    plots.precision_recall_curves(comparison, shown, scores=scores, height=_LOW),
                    f"Each class against the rest: the mean over the {comparison.unit}s, and the "
                    f"band of all {comparison.unit}s.",
                ),
            ]
            if any(scores)
            else [],
        }
    }


def _pairs(comparison: Comparison) -> dict[str, Any]:
    judged = any(pair.verdict for pair in comparison.pairs)
    caption = (
        "The row’s model against the column’s, in points: ▲ better, ▼ worse, ≈ practically equal, "
        "? not separated."
    )
    if len(comparison.models) > MOST_MODELS:
        best = f"These are the {MOST_MODELS} models with the highest test accuracy"
        caption += f" {best}; every pair stands below in words."
    return {
        "pairs": [sentence(pair.sentence) for pair in comparison.pairs],
        "open_pairs": len(comparison.pairs) <= _OPEN_PAIRS,
        "matrix": Picture(plots.verdict_matrix(comparison), caption) if judged else None,
        "about_margin": about_scores.about_margin(comparison) if judged else "",
    }


def _costs(comparison: Comparison) -> dict[str, Any]:
    models, costs, short = comparison.models, [], short_names(comparison)
    dropped = comparison.race.dropped if comparison.race else ()
    if models:
        legend = "The broad line joins the models that nothing cheaper equals; bars are 95 %."
        drawn = plots.accuracy_against_parameters(comparison)
        if comparison.order.by_time:
            drawn = plots.accuracy_against_time(comparison, kind="batch prediction")
        costs.append(Picture(drawn, legend))
    if any(model.seconds_per_trial for model in models):
        note = "Measured while this study ran, on its machine."
        costs.append(Picture(plots.accuracy_against_time(comparison), note))
    if any(len(model.seeds) > 1 for model in models):
        costs.append(Picture(plots.variance(comparison), about_scores.about_variance(comparison)))
    return {
        "costs": costs,
        "time_heads": ["Training a trial", "Predicting one image", "An image in a batch"],
        "times": [
            TableRow(
                m.name,
                seconds(m.seconds_per_trial, m.prediction_seconds, m.batch_prediction_seconds),
                short=short[m.name],
            )
            for m in models
            if m.seconds_per_trial is not None
        ]
        + [
            TableRow(out.name, seconds(out.seconds_per_trial, None, None), short=out.name)
            for out in dropped
        ],
        "about_frontier": about_scores.about_frontier(comparison) if models else "",
    }


def _environment(comparison: Comparison) -> Iterator[tuple[str, str]]:
    data = comparison.data
    for name, value in comparison.environment.items():
        yield str(name), str(value)
    own = "data of the first study" if wording.of_first(comparison) else "data"
    for name, key in ((f"{own}, hash", "hash"), ("data, test hash", "test_hash")):
        if data.get(key):
            yield name, str(data[key])
    for note in data.get("notes") or ():
        yield f"{own}, note", str(note)


def _ledger_line(line: Mapping[str, Any], unit: str) -> dict[str, str]:
    models = line.get("models") or {}
    seeds = (f"{name}: {seed_list(each, unit)}" for name, each in models.items())
    return {
        "opening": str(line.get("opening", "")),
        "time": str(line.get("time", "")),
        "models": "; ".join(seeds),
        "recipe": str(line.get("recipe", ""))[:12],
        "test": str(line.get("test", ""))[:12],
    }


def _kept_together(value: Any) -> Any:
    """Let no line end between a number and its percent sign, nor inside "p < 0.001".

    Names from right to left are kept apart from the numbers beside them.
    """
    if type(value) is not str:
        return value
    value = isolated(value)
    return _APART.sub(lambda found: found[0].replace(" ", "\u00a0"), value)


def _style() -> str:
    """Return the style sheet: the figures' palette, light and dark, then the page's rules."""
    light = "".join(f"--{name}:{pair[0]};" for name, pair in PALETTE.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in PALETTE.items())
    shades = "".join(f".l{shade}{{--level:{6 * shade}}}" for shade in range(SHADES + 1))
    return (
        f":root{{{light}--strength:1%}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}--strength:.62%}}}}\n"
        f"{shades}\n{_asset('style.css')}"
    )


def _asset(name: str) -> str:
    return (files("bakeoff.report.page") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what a Content-Security-Policy calls a script or style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
