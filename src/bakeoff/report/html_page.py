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
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bakeoff.analysis.comparison import BaselineResult, Comparison, ModelResult
from bakeoff.analysis.statistics import Estimate
from bakeoff.report import plots, sentences, wording
from bakeoff.report.html_charts import SHADES, strip, verdict_rows
from bakeoff.report.images_section import about_samples, label_suspects, samples
from bakeoff.report.model_section import Picture, anchor, model_part, scored
from bakeoff.report.plots.scores import variance_shares
from bakeoff.report.plots.style import PALETTE
from bakeoff.report.protocol_steps import protocol
from bakeoff.utils.text import duration, percent, points, ratio, sentence

_APART = re.compile(r" %|\bp [<=] ")


@dataclass(frozen=True)
class Entry:
    """A cell of the table: what it says, what it says below in small, what it sorts by."""

    text: str
    small: str
    value: str


@dataclass(frozen=True)
class TableRow:
    """A row of the table."""

    name: str
    cells: tuple[Entry, ...]
    strong: bool = False


@dataclass(frozen=True)
class Share:
    """Where one accuracy's uncertainty comes from, in percent; `error` in points."""

    name: str
    images: float
    seeds: float
    both: float
    error: str


def html(comparison: Comparison) -> str:
    """Return the report as one HTML document."""
    environment = Environment(
        loader=PackageLoader("bakeoff.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_keep_percent_together,
    )
    style, script = _style(), _asset("sort.js")
    return environment.get_template("report.html.j2").render(
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        **_answer(comparison),
        **_table(comparison),
        **_verdicts(comparison),
        **_findings(comparison),
        models=[model_part(comparison, place) for place in range(len(comparison.models))],
        **_costs(comparison),
        **_variance(comparison),
        samples=samples(comparison),
        about_samples=about_samples(comparison),
        suspects=label_suspects(comparison),
        protocol=protocol(comparison),
        environment=list(_environment(comparison)),
        ledger=[_ledger_line(line) for line in comparison.ledger],
        studies=f"the study {comparison.study}",
        footer=sentences.footer(comparison),
        version=comparison.environment.get("bakeoff", ""),
    )


def _answer(comparison: Comparison) -> dict[str, Any]:
    scores = [(model.name, model.accuracy, model.group) for model in comparison.models]
    recommended = comparison.recommended
    basis = wording.basis(comparison)
    said = [f"{m.name} {scored(m.accuracy.estimate)}{_letters(m)}" for m in comparison.models]
    return {
        "heading": wording.heading(comparison),
        "headline": sentences.headline(comparison),
        "reason": sentences.reason(comparison),
        "cautions": sentences.cautions(comparison),
        "dots": strip(scores, strong=recommended.model if recommended else None)
        if scores
        else None,
        "dots_alt": f"Dot plot of test accuracy with 95 % intervals: {'; '.join(said)}.",
        "grouped": any(model.group for model in comparison.models),
        "seeded": any(len(model.seeds) > 1 for model in comparison.models),
        "basis": basis,
        "basis_lower": basis,
        "basis_sentence": sentence(basis),
    }


def _table(comparison: Comparison) -> dict[str, Any]:
    recommended = comparison.recommended.model if comparison.recommended else None
    smallest = min((model.parameters for model in comparison.models), default=0)
    grouped = any(model.group for model in comparison.models)
    notes = (sentences.about_parameters(comparison), sentences.about_loss(comparison))
    return {
        "rows": [
            TableRow(m.name, _cells(m, smallest, grouped), m.name == recommended)
            for m in comparison.models
        ],
        "baselines": [
            TableRow(wording.baseline(each.name), _baseline_cells(each, grouped))
            for each in comparison.baselines
        ],
        "mark": sentences.mark(comparison),
        "table_notes": [note for note in notes if note],
    }


def _cells(model: ModelResult, smallest: int, grouped: bool) -> tuple[Entry, ...]:
    times = ratio(model.parameters, smallest)
    epochs = [epoch for epoch in model.selected_epochs if epoch is not None]
    loss = model.loss.estimate
    return (
        Entry(f"{model.parameters:,}", times and f"{times} ×", str(model.parameters)),
        _accuracy(model.accuracy.estimate),
        *([Entry(model.group, "", model.group)] if grouped else []),
        Entry(
            wording.loss(loss.mean),
            wording.loss_interval(loss),
            repr(loss.mean),
        ),
        _accuracy(model.balanced_accuracy.estimate),
        _accuracy(model.macro_f1.estimate),
        Entry(
            wording.selected_epochs(model),
            f"of {model.epochs}",
            repr(float(np.mean(epochs))) if epochs else "",
        ),
        Entry(
            duration(model.seconds_per_trial),
            "",
            "" if model.seconds_per_trial is None else repr(model.seconds_per_trial),
        ),
    )


def _baseline_cells(baseline: BaselineResult, grouped: bool) -> tuple[Entry, ...]:
    empty = Entry("", "", "")
    parameters = Entry(f"{baseline.parameters:,}", "", str(baseline.parameters))
    return (parameters, _accuracy(baseline.accuracy), *[empty] * (6 if grouped else 5))


def _accuracy(estimate: Estimate) -> Entry:
    return Entry(percent(estimate.mean), wording.interval(estimate), repr(estimate.mean))


def _letters(model: ModelResult) -> str:
    return f", group {model.group}" if model.group else ""


def _verdicts(comparison: Comparison) -> dict[str, Any]:
    judged = any(pair.verdict for pair in comparison.pairs)
    return {
        "pairs": [sentence(pair.sentence) for pair in comparison.pairs],
        "verdict_rows": verdict_rows(comparison) if judged else [],
        "about_margin": sentences.about_margin(comparison),
    }


def _findings(comparison: Comparison) -> dict[str, Any]:
    """Split what needs acting on from what is good to know; link each to its model's part."""
    anchors = {model.name: anchor(place) for place, model in enumerate(comparison.models)}
    order = {"serious": 0, "warning": 1, "info": 2}
    found = sorted(comparison.findings, key=lambda finding: order[finding.severity])
    return {
        "findings": [finding for finding in found if finding.severity != "info"],
        "notes": [finding for finding in found if finding.severity == "info"],
        "anchors": anchors,
    }


def _costs(comparison: Comparison) -> dict[str, Any]:
    basis = sentence(wording.basis(comparison))
    legend = f"The broad line joins the models that nothing cheaper equals; bars are 95 %. {basis}"
    models, costs = comparison.models, []
    if models:
        said = "; ".join(
            f"{m.name} {m.parameters:,} parameters, {percent(m.accuracy.mean)}" for m in models
        )
        drawn = plots.accuracy_against_parameters(comparison)
        alt = f"Test accuracy against parameters: {said}."
        costs.append(Picture(Markup(plots.svg(drawn, alt=alt)), legend))
    for kind, field in (("training", "seconds_per_trial"), ("prediction", "prediction_seconds")):
        clocks = [(m, getattr(m, field)) for m in models if getattr(m, field)]
        if clocks:
            said = "; ".join(
                f"{m.name} {duration(clock)}, {percent(m.accuracy.mean)}" for m, clock in clocks
            )
            drawn = plots.accuracy_against_time(comparison, kind=kind)  # type: ignore[arg-type]
            alt = f"Test accuracy against the time of {kind}: {said}."
            costs.append(Picture(Markup(plots.svg(drawn, alt=alt)), legend))
    return {
        "costs": costs,
        "about_frontier": sentences.about_frontier(comparison) if models else "",
    }


def _variance(comparison: Comparison) -> dict[str, Any]:
    shares = []
    for model in comparison.models:
        parts = variance_shares(model)
        if parts is not None:
            images, seeds, both = (round(100 * part, 2) for part in parts)
            error = points(sentences.standard_error(model))
            shares.append(Share(model.name, images, seeds, both, error))
    said = [
        f"{s.name} images {s.images:.0f} %, seeds {s.seeds:.0f} %, both together {s.both:.0f} %"
        for s in shares
    ]
    return {
        "about_variance": sentences.about_variance(comparison),
        "shares": shares,
        "shares_alt": f"Shares of each accuracy’s squared standard error: {'; '.join(said)}.",
    }


def _environment(comparison: Comparison) -> Iterator[tuple[str, str]]:
    data = comparison.data
    for name, value in comparison.environment.items():
        yield str(name), str(value)
    for name in ("hash", "test_hash"):
        if data.get(name):
            yield f"data, {name.replace('_', ' ')}", str(data[name])
    for note in data.get("notes") or ():
        yield "data, note", str(note)


def _ledger_line(line: Mapping[str, Any]) -> dict[str, str]:
    models = line.get("models") or {}
    return {
        "opening": str(line.get("opening", "")),
        "time": str(line.get("time", "")),
        "models": "; ".join(
            f"{name}: {wording.seed_list(seeds)}" for name, seeds in models.items()
        ),
        "recipe": str(line.get("recipe", ""))[:12],
        "test": str(line.get("test", ""))[:12],
    }


def _keep_percent_together(value: Any) -> Any:
    """Let no line end between a number and its percent sign, nor inside "p < 0.001"."""
    if type(value) is not str:
        return value
    return _APART.sub(lambda found: found[0].replace(" ", "\u00a0"), value)


def _style() -> str:
    """Return the style sheet: the figures' palette, light and dark, then the page's rules."""
    light = "".join(f"--{name}:{pair[0]};" for name, pair in PALETTE.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in PALETTE.items())
    shades = "".join(f".l{shade}{{--level:{7 * shade}}}" for shade in range(SHADES + 1))
    return (
        f":root{{{light}--strength:1%}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}--strength:.62%}}}}\n"
        f"{shades}\n{_asset('style.css')}"
    )


def _asset(name: str) -> str:
    return (files("bakeoff.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what a Content-Security-Policy calls a script or style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
