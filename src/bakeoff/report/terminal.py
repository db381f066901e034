"""The table in the terminal: as wide as the window, and readable without colour.

Titles, class names and findings are printed as they are, never read as rich's markup; characters
that could steer the terminal are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.console import Group as Lines
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bakeoff.analysis.checks.wording import baseline_in_words
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.estimates import Estimate
from bakeoff.analysis.statistics import PairTest
from bakeoff.analysis.verdicts import Pair
from bakeoff.report.words import about_race, about_search, conclusion, wording
from bakeoff.report.words.grouped_findings import Group, grouped
from bakeoff.report.words.short_names import shortened
from bakeoff.utils import text as texts

_MOST_PAIRS = 10
_OPTIONAL = (
    "time",
    "loss",
    "epoch",
    "sound",
    "failed",
)  # left out in this order where the window is narrow
_RECOMMENDED = "bold green"
_SEVERITIES = {"serious": "bold red", "warning": "bold yellow", "info": "dim"}


@dataclass(frozen=True, repr=False)
class TableView:
    """A comparison as something rich prints."""

    comparison: Comparison

    def __repr__(self) -> str:
        return f"<TableView of {self.comparison.study}: rich.print shows it>"

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Print the parts one after the other."""
        comparison = self.comparison
        yield Text(clean(wording.heading(comparison)), style="bold")
        yield from _findings(comparison)
        yield Text()
        yield _fitted(comparison, console, options)
        yield Text(_explanation(comparison), style="dim")
        for each in comparison.searches:
            if each.chosen is not None:
                tuned = f"{each.model}: chosen among {about_search.budget(each)}."
                yield Text(clean(tuned), style="dim")
        if comparison.race is not None:
            yield Text(clean(about_race.about_race(comparison)), style="dim")
        if comparison.pairs:
            yield Text()
            yield Text(_verdicts_title(comparison), style="bold")
            for line in _verdicts(comparison):
                yield Padding(line, (0, 0, 0, 2), expand=False)
        yield Text()
        yield Text(clean(conclusion.footer(comparison)), style="dim")
        for caution in conclusion.cautions(comparison):
            yield Text(clean(caution), style="yellow")
        yield _recommendation(comparison)


def table(comparison: Comparison) -> TableView:
    """Return the table, verdicts and recommendation, for rich to print."""
    return TableView(comparison)


def clean(text: str) -> str:
    """Replace control characters, so that no name can move the cursor or turn the text around."""
    turning = {*range(0x2028, 0x202F), *range(0x2066, 0x206A)}  # and end lines
    return "".join(
        "\ufffd" if ord(char) < 32 or 127 <= ord(char) < 160 or ord(char) in turning else char
        for char in text
    )


def _fitted(comparison: Comparison, console: Console, options: ConsoleOptions) -> RenderableType:
    """Return the widest form of the table that the window holds; the narrowest has no columns."""
    dropped: set[str] = set()
    table = _table(comparison, dropped, gap=2)
    unbounded = options.update(width=10_000)
    for name in (None, *_OPTIONAL):
        if Measurement.get(console, unbounded, table).maximum <= options.max_width:
            break
        if name:
            dropped = {*dropped, name}
        table = _table(comparison, dropped, gap=1)
    if Measurement.get(console, unbounded, table).maximum > options.max_width:
        return Lines(*_lines(comparison))
    return table


def _lines(comparison: Comparison) -> Iterator[Text]:
    """Yield each model in three lines, its name alone in the first: names are of any length."""
    for model in comparison.models:
        strong = model.name == comparison.to_use
        yield Text(
            ("→ " if strong else "  ") + clean(model.name), style=_RECOMMENDED if strong else ""
        )
        group = f"  {model.group}" if model.group else ""
        yield Text(f"    {_accuracy(model.accuracy.estimate)} %{group}")
        size = texts.counted(model.parameters, "parameter")
        time = f", {comparison.order.text(model.name)}" if comparison.order.by_time else ""
        yield Text(f"    {size}{time}", style="dim")
    for baseline in comparison.baselines:
        yield Text(f"  {clean(baseline_in_words(baseline.name))}", style="dim")
        yield Text(f"    {_accuracy(baseline.accuracy)} %", style="dim")


def _table(comparison: Comparison, dropped: set[str], *, gap: int) -> Table:
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
    grouped = any(model.group for model in comparison.models)
    table.add_column("  model", overflow="fold", max_width=28)
    table.add_column("parameters", justify="right", no_wrap=True)
    timed = comparison.order.by_time
    if timed:
        table.add_column("an image", justify="right", no_wrap=True)
    table.add_column("test accuracy, %", justify="right", no_wrap=True)
    failing = any(model.failed for model in comparison.models)
    columns = [("failed", "failed runs"), ("sound", "without, %")] if failing else []
    columns += [("loss", "loss"), ("epoch", "epoch"), ("time", "trial")]
    if grouped:
        table.add_column("", no_wrap=True)
    for name, title in columns:
        if name not in dropped:
            table.add_column(title, justify="right", no_wrap=True)
    recommended = comparison.to_use
    names = _names(comparison)
    for model in comparison.models:
        strong = model.name == recommended
        optional = {
            **(_failures(model) if failing else {}),
            "loss": wording.loss(model.loss.mean),
            "epoch": wording.selected_epochs(model),
            "time": texts.duration(model.seconds_per_trial),
        }
        table.add_row(
            Text(("→ " if strong else "  ") + names[model.name]),
            f"{model.parameters:,}",
            *([texts.duration(model.batch_prediction_seconds)] if timed else []),
            _accuracy(model.accuracy.estimate),
            *([model.group] if grouped else []),
            *(text for name, text in optional.items() if name not in dropped),
            style=_RECOMMENDED if strong else None,
        )
    for out in comparison.race.dropped if comparison.race else ():
        empty, clock = [""] * (len(table.columns) - 3 - timed), [""] * timed
        name = f"  {clean(out.name)}"
        cells = (name, f"{out.parameters:,}", *clock, about_race.left(out), *empty)
        table.add_row(*map(Text, cells), style="dim")
    for baseline in comparison.baselines:
        table.add_row(
            Text("  " + clean(baseline_in_words(baseline.name))),
            f"{baseline.parameters:,}",
            *[""] * timed,
            _accuracy(baseline.accuracy),
            style="dim",
        )
    return table


def _failures(model: ModelResult) -> dict[str, str]:
    return {
        "failed": f"{wording.failed_runs(model)}  {wording.failure_rate(model)}",
        "sound": wording.sound_accuracy(model).removesuffix(" %"),
    }


def _names(comparison: Comparison) -> dict[str, str]:
    """Return the models' names as the table has them: cut in the middle unless two become alike."""
    whole = {model.name: clean(model.name) for model in comparison.models}
    cut = shortened(list(whole.values()), most=26)
    return {name: cut[text] for name, text in whole.items()}


def _accuracy(estimate: Estimate) -> str:
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.mean:.2f}  {low:.2f}–{high:.2f}"


def _explanation(comparison: Comparison) -> str:
    parts = [f"Test accuracy: mean and {wording.INTERVAL} interval, {wording.basis(comparison)}"]
    if letters := wording.letters(comparison):
        parts.append(letters)
    if comparison.order.by_time:
        parts.append("an image: prediction time in a batch")
    return "; ".join(parts) + "."


def _verdicts_title(comparison: Comparison) -> str:
    pairs, levels = comparison.pairs, {p.test.level for p in comparison.pairs if p.test is not None}
    intervals = f"pairwise {100 * min(levels):.4g} % intervals" if levels else ""
    if any(pair.verdict for pair in pairs):
        look = comparison.look.text if comparison.look else ""
        where = f", {look}" if look else ""
        if look and comparison.exploratory:
            where = f", exploratory, at the level of {look}"
        beside = f" ({intervals}, Holm-adjusted p)" if len(pairs) <= _MOST_PAIRS else ""
        return f"Verdicts{where}{beside}"
    unit = comparison.unit
    if not any(pair.files for pair in pairs):
        beside = f" ({intervals})" if len(pairs) <= _MOST_PAIRS else ""
        return f"Differences; no verdicts below 3 {unit}s of each model{beside}"
    what = "The folds' networks of models" if comparison.folded else "Trained files"
    return f"{what}, two at a time (exact McNemar); about the models this says nothing"


def _verdicts(comparison: Comparison) -> Iterator[Text]:
    pairs = comparison.pairs
    if len(pairs) > _MOST_PAIRS:
        words_of = [pair.verdict.replace("worse", "better") for pair in pairs if pair.verdict]
        said = [
            f"{words_of.count(word)} {word}"
            for word in ("better", "practically equal", "not separated")
            if word in words_of
        ] or ["no verdicts"]
        yield Text(f"{len(pairs):,} pairs: {texts.listed(said)}; the report names them all.")
        return
    for pair in pairs:
        yield _verdict(pair)


def _verdict(pair: Pair) -> Text:
    if pair.files and pair.only_correct and pair.mcnemar is not None:
        (a, b), (only_a, only_b) = pair.files, pair.only_correct
        return Text(
            f"{clean(pair.a)} {pair.unit} {a} alone is correct on "
            f"{texts.counted(only_a, 'image')}, {clean(pair.b)} {pair.unit} {b} alone on "
            f"{only_b:,}, p {texts.p_value(pair.mcnemar)}"
        )
    if pair.test is None:
        return Text(clean(texts.sentence(pair.sentence)))
    if pair.verdict is None or pair.p_holm is None:
        text = Text(f"{clean(pair.a)} and {clean(pair.b)}")
        text.append(f"  {_difference(pair.test)}{_bound(pair)}", style="dim")
        return text.append(f"; {clean(pair.failed)}" if pair.failed else "", style="dim")
    joint = {"better": "better than", "worse": "worse than"}.get(pair.verdict, f"{pair.verdict}:")
    names = f"{pair.a} {joint} {pair.b}"
    if pair.verdict not in ("better", "worse"):
        names = f"{pair.a} and {pair.b} {pair.verdict}"
    mark = wording.VERDICTS[pair.verdict]
    text = Text(f"{mark} {clean(names)}")
    if pair.by_less_than_margin:
        text.append(", by less than the margin")
    text.append(f"  {_difference(pair.test)}, p {texts.p_value(pair.p_of_verdict)}", style="dim")
    text.append(_bound(pair), style="dim")
    equality = pair.equality_needs if pair.advice and pair.advice.equality else None
    for needs in (pair.needs, equality):
        text.append(f"; {needs}" if needs else "", style="dim")
    return text


def _bound(pair: Pair) -> str:
    if pair.test is None or pair.less_than is None:
        return ""
    most, level = texts.points(pair.less_than, 2, "up"), f"one-sided {100 * pair.test.level:.4g} %"
    return f"; they differ by less than {most} ({level})"


def _difference(test: PairTest) -> str:
    low, high = texts.signed_points(test.low), texts.signed_points(test.high)
    return f"{texts.signed_points(test.difference)} points ({low} to {high})"


def _recommendation(comparison: Comparison) -> Text:
    before, name, after = conclusion.headline(comparison)
    text = Text(clean(before), style="bold")
    text.append(clean(name), style=_RECOMMENDED)
    text.append(clean(after))
    because = clean(conclusion.reason(comparison))
    if because:
        text.append(" ")
        text.append(because, style="not bold")
    return text


def _findings(comparison: Comparison) -> Iterator[RenderableType]:
    groups = grouped(comparison)
    urgent = [each for each in groups if each.severity != "info"]
    notes = [each for each in groups if each.severity == "info"]
    if urgent:
        yield Text()
        yield Text("Findings", style="bold")
        for group in urgent:
            yield Padding(_finding(group), (0, 0, 0, 2), expand=False)
    if notes:
        said = texts.counted(len(notes), "note")
        codes = ", ".join(dict.fromkeys(each.code for each in notes))
        yield Text(f"{said} in the report: {codes}.", style="dim")


def _finding(group: Group) -> Text:
    text = Text(f"{group.severity}: ", style=_SEVERITIES[group.severity])
    text.append(clean(group.text), style="not bold default")
    more = group.advice or ("The report says more of each." if group.each else "")
    if more:
        text.append(" " + clean(more), style="not bold dim default")
    return text
