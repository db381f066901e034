"""The table in the terminal: as wide as the window, and readable without colour.

Titles, class names and findings are printed as they are, never read as rich's markup; characters
that could steer the terminal are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType
from rich.console import Group as Lines
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.estimates import Estimate
from bakeoff.analysis.statistics import PairTest
from bakeoff.analysis.verdicts import Pair
from bakeoff.analysis.wording import baseline_in_words
from bakeoff.report.words import about_race, about_search, conclusion, wording
from bakeoff.report.words.grouped_findings import Group, grouped
from bakeoff.report.words.short_names import shortened
from bakeoff.utils import text as texts

_MOST_PAIRS = 10
# Columns that are left out, in this order, where the window is narrow.
_OPTIONAL = ("time", "loss", "epoch", "sound", "failed")
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
    unbounded = options.update(width=10_000)

    def fits(table: Table) -> bool:
        return Measurement.get(console, unbounded, table).maximum <= options.max_width

    widest = _table(comparison, (), gap=2)
    if fits(widest):
        return widest
    for count in range(len(_OPTIONAL) + 1):
        table = _table(comparison, _OPTIONAL[:count], gap=1)
        if fits(table):
            return table
    return Lines(*_lines(comparison))


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


@dataclass(frozen=True)
class _Column:
    """A column of the table: what it is called here and in its head, and its cell of a model."""

    name: str
    head: str
    cell: Callable[[ModelResult], str]
    justify: Literal["left", "right"] = "right"


def _columns(comparison: Comparison) -> list[_Column]:
    """Return the columns that this comparison needs beside the models' names."""
    models = comparison.models
    columns = [_Column("size", "parameters", lambda m: f"{m.parameters:,}")]
    if comparison.order.by_time:
        clock = _Column("clock", "an image", lambda m: texts.duration(m.batch_prediction_seconds))
        columns.append(clock)
    columns.append(
        _Column("accuracy", "test accuracy, %", lambda m: _accuracy(m.accuracy.estimate))
    )
    if any(model.group for model in models):
        columns.append(_Column("group", "", lambda m: m.group, "left"))
    if any(model.failed for model in models):
        columns += [
            _Column("failed", "failed runs", _failures),
            _Column("sound", "without, %", lambda m: wording.sound_accuracy(m).removesuffix(" %")),
        ]
    return [
        *columns,
        _Column("loss", "loss", lambda m: wording.loss(m.loss.mean)),
        _Column("epoch", "epoch", wording.selected_epochs),
        _Column("time", "trial", lambda m: texts.duration(m.seconds_per_trial)),
    ]


def _table(comparison: Comparison, dropped: Sequence[str], *, gap: int) -> Table:
    """Return the table of models, of those that a race dropped, and of baselines.

    dropped : columns that are left out
    """
    columns = [each for each in _columns(comparison) if each.name not in dropped]
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("  model", overflow="fold", max_width=28)
    for each in columns:
        table.add_column(each.head, justify=each.justify, no_wrap=True)

    def add_other(name: str, **known: str) -> None:
        cells = (known.get(each.name, "") for each in columns)
        table.add_row(Text(f"  {clean(name)}"), *cells, style="dim")

    names = _names(comparison)
    for model in comparison.models:
        strong = model.name == comparison.to_use
        table.add_row(
            Text(("→ " if strong else "  ") + names[model.name]),
            *(each.cell(model) for each in columns),
            style=_RECOMMENDED if strong else None,
        )
    for out in comparison.race.dropped if comparison.race else ():
        add_other(out.name, size=f"{out.parameters:,}", accuracy=about_race.left(out))
    for baseline in comparison.baselines:
        add_other(
            baseline_in_words(baseline.name),
            size=f"{baseline.parameters:,}",
            accuracy=_accuracy(baseline.accuracy),
        )
    return table


def _failures(model: ModelResult) -> str:
    return f"{wording.failed_runs(model)}  {wording.failure_rate(model)}"


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
