"""A figure as a Vega-Lite specification: it shows itself in notebooks, and becomes SVG, PNG or PDF.

vl-convert draws it without a browser and without the network. Its marks carry a `tip`, the words
that appear where a pointer rests on them. The colours tell blue from orange to every common kind of
colour blindness, and every meaning that has a colour also has a dash or a word.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bakeoff.errors import UsageError
from bakeoff.report.words.short_names import short_labels
from bakeoff.storage.atomic import write_file

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison, ModelResult

VERSION = "5.20"  # of Vega-Lite: what JupyterLab, Notebook 7 and VS Code bring with them is 5
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # a name; nothing is fetched

# name: (on a light page, on a dark page). The light ones stand in the figures; `element` turns
# each into a CSS variable of that name, so that a page can switch them.
PALETTE = {
    "paper": ("#fdfdfc", "#15171a"),
    "ink": ("#1d2126", "#e9e7e2"),
    "muted": ("#5f666f", "#a9afb7"),
    "line": ("#d9dcdf", "#363b42"),
    "blue": ("#0a67ad", "#74b8f0"),
    "orange": ("#c0540a", "#f2a65a"),
    "green": ("#0a7a5c", "#57cba5"),
    "purple": ("#8a4fa8", "#cf9be8"),
    "pink": ("#c2366f", "#ff8fb8"),
    "brown": ("#7a5c14", "#d6b45c"),
    "teal": ("#087f93", "#5ccfe0"),
    "grey": ("#4a5158", "#c3c8ce"),
}
PAPER, INK, MUTED, LINE, BLUE, ORANGE, GREEN = (light for light, _ in list(PALETTE.values())[:7])
SERIES = [PALETTE[name][0] for name in PALETTE if name not in ("paper", "ink", "muted", "line")]
DASHES: list[list[float]] = [[1, 0], [5, 3], [1.5, 2.5], [8, 3, 2, 3]]

_ADDRESSES = 128 * 2**30  # bytes that V8 reserves, without using them: 64 GiB are too few

WIDTH, HEIGHT = 372, 236  # pixels of one panel, all of it
TITLE = 20  # pixels of its title
_LONGEST_REPR = 300  # letters: the verdicts of 50 models are 55,000
_LETTER, _MOST_ROOM = 6.5, 240.0  # pixels of a letter in a browser's wide font, and of a name
LEGEND = 18  # letters of a name, so that two stand side by side in one panel
WIDE, NARROW = 1120, 350  # of a figure as wide as the page, on a desk and on a phone
MOST_CLASSES = 20  # that a figure or a table shows

# What a pointer finds: a mark that is not seen.
TARGET = {
    "type": "point", "clip": True, "color": INK, "opacity": 0, "size": 90, "filled": True,
}  # fmt: skip

_CONFIG: dict[str, Any] = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 11, "titleFontSize": 11,
        "titleFontWeight": "normal", "gridColor": LINE, "domainColor": MUTED, "ticks": False,
        "labelPadding": 5, "labelLimit": 240, "titlePadding": 6,
    },
    "legend": {
        "orient": "top", "title": None, "labelFontSize": 11, "labelColor": INK, "padding": 0,
        "symbolStrokeWidth": 2.2, "symbolSize": 90,
        "symbolOpacity": 1, "labelLimit": 200, "offset": 4,
        "columnPadding": 12, "rowPadding": 1,
    },
    "title": {
        "anchor": "start", "fontSize": 12, "color": INK, "fontWeight": 600, "offset": 6,
        "frame": "group",
    },
    "text": {"color": INK, "fontSize": 11},
}  # fmt: skip

# Leading digits of a logarithmic axis's ticks, ever closer together.
_FACTORS: tuple[Sequence[float], ...] = (
    (1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8), [k / 10 for k in range(10, 100)],
)  # fmt: skip
_VARIABLES = {light: f"var(--{name}, {light})" for name, (light, _) in PALETTE.items()}
_DROPPED = re.compile(
    r' (?:role|aria-roledescription|class|pointer-events|font-family|xmlns|xmlns:xlink|version)="'
    r'[^"]*"'
)
# Words, which stay as they are, or a coordinate with more digits than a screen has pixels for.
_LONG = re.compile(r'(data-tip="[^"]*"|>[^<]+)|-?\d+\.\d{3,}')
_UNSEEN = re.compile(r'<path class="(?:background|foreground)"[^>]*?/>')


@dataclass(frozen=True)
class Figure:
    """A picture of a comparison.

    Attributes
    ----------
    spec : a complete Vega-Lite 5 specification, data included; plain JSON
    alt : in words, what the picture shows

    The last line of a notebook's cell shows it. `save("dots.svg")` writes .svg, .png, .pdf,
    or .json (the specification, for Altair or the Vega editor).
    """

    spec: Mapping[str, Any]
    alt: str

    def svg(self) -> str:
        """Return the picture as the text of an SVG file, on a light ground.

        UsageError where the process may not reserve the addresses that drawing needs.
        """
        require_addresses()
        import vl_convert

        drawn: str = vl_convert.vegalite_to_svg(dict(self.spec), vl_version=VERSION)
        return drawn

    def png(self, *, scale: float = 2.0) -> bytes:
        """Return the picture as a PNG file, `scale` pixels for each unit of the figure."""
        require_addresses()
        import vl_convert

        drawn: bytes = vl_convert.vegalite_to_png(dict(self.spec), vl_version=VERSION, scale=scale)
        return drawn

    def pdf(self) -> bytes:
        """Return the picture as a PDF file, for a paper."""
        import vl_convert

        try:
            drawn: bytes = vl_convert.svg_to_pdf(self.svg())
        except RuntimeError as error:  # fonts of pictures, such as emoji, which PDF lacks
            raise UsageError(
                "expected letters that a PDF can show, found others, such as emoji: save the "
                "picture as .svg or .png"
            ) from error
        return drawn

    def save(self, path: str | Path) -> None:
        """Write the picture to a file; its ending says how: .svg, .png, .pdf or .json."""
        if not isinstance(path, str | Path):
            raise UsageError(f"expected the name of a file, found {path!r}")
        path = Path(os.path.expanduser(path))  # no shell has, in a notebook
        kinds: dict[str, Callable[[], bytes]] = {
            ".svg": lambda: self.svg().encode(),
            ".png": self.png,
            ".pdf": self.pdf,
            ".json": lambda: json.dumps(self.spec).encode(),
        }
        if path.suffix.lower() not in kinds:
            raise UsageError(
                f"expected a file name that ends in .svg, .png, .pdf or .json, found {path.name}"
            )
        write_file(path, kinds[path.suffix.lower()]())

    def element(self, svg: str | None = None) -> str:
        """Return the picture as one `<svg>` element for a page, in the page's own colours.

        Marks keep their words in `data-tip`. There is no style attribute, no address and no name
        in it, so that a strict Content-Security-Policy lets it pass. Where it cannot be drawn, a
        paragraph says what it would show, and why it is missing.

        svg : what `svg()` returns, where another process has drawn it
        """
        try:
            text = _UNSEEN.sub("", self.svg() if svg is None else svg)
        except UsageError as error:
            return f'<p class="note">{_escape(self.alt)} (No picture: {_escape(str(error))}.)</p>'
        head, _, body = text.partition(">")
        size = re.search(r'width="([\d.]+)" height="([\d.]+)"', head)
        wide, tall = size.groups() if size else ("0", "0")
        body = re.sub(r'(<g[^>]*?) aria-label="[^"]*"', r"\1", body)  # axes and legends
        body = body.replace(' aria-hidden="true"', "").replace(" aria-label=", " data-tip=")
        body = _LONG.sub(lambda at: at[1] or f"{float(at[0]):.2f}", _DROPPED.sub("", body))
        body = re.sub(r'<rect width="[\d.]+" height="[\d.]+" fill="#fdfdfc"/>', "", body, count=1)
        body = re.sub(r"<g>((?:(?!</?g).)*)</g>", r"\1", body)
        body = _renamed(body, self.alt)
        for light, variable in _VARIABLES.items():
            body = body.replace(f'"{light}"', f'"{variable}"')
        return (
            f'<svg viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" role="img" '
            f'aria-label="{_escape(self.alt)}">{body}'
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "application/vnd.vegalite.v5+json": dict(self.spec),
            "image/svg+xml": self.svg(),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        """Say in words what it shows, the first of them where it shows much."""
        return f"<Figure: {textwrap.shorten(self.alt, _LONGEST_REPR, placeholder=' …')}>"


def figure(spec: Mapping[str, Any], *, alt: str, width: int | None = WIDTH) -> Figure:
    """Return a figure in Bakeoff's style; `width` is all of it, axes included.

    None where the parts of a concatenated figure have widths of their own.
    """
    whole: dict[str, Any] = {"$schema": _SCHEMA, "config": _CONFIG, "background": PAPER}
    if width is not None:
        whole |= {"width": width, "height": HEIGHT}
        whole["autosize"] = {"type": "fit", "contains": "padding"}
    return Figure(_rounded(whole | dict(spec)), alt)


def percent_axis(**more: Any) -> dict[str, Any]:
    """Return an axis of fractions, written in percent."""
    words = {"labelExpr": "format(datum.value * 100, '~g') + ' %'", "tickCount": 5}
    return words | {"labelOverlap": "greedy", "labelSeparation": 6} | more


def names_axis(labels: Sequence[str]) -> dict[str, Any]:
    """Return an axis of names, with room for them."""
    room = min(_MOST_ROOM, _LETTER * max(map(len, labels), default=0))
    return {"grid": False, "domain": False, "labelColor": INK, "labelFontSize": 12,
            "minExtent": room}  # fmt: skip


def log_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Return round numbers from low to high for a logarithmic axis, at most so many."""
    if not 0 < low <= high:
        return []
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    found: list[float] = []
    for factors in _FACTORS:
        ticks = [float(f"{factor * 10.0**k:.6g}") for k in decades for factor in factors]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= most:
            found = inside
        elif not found:
            return inside[:: ceil(len(inside) / most)]
    return found


def field(name: str, kind: str = "quantitative", **more: Any) -> dict[str, Any]:
    """Return how a field of the data is encoded."""
    return {"field": name, "type": kind, "title": None, **more}


def tip() -> dict[str, Any]:
    """Return the encodings that give a mark its words: static ones, and those of a live view."""
    return {"description": {"field": "tip"}, "tooltip": {"field": "tip", "type": "nominal"}}


def series(names: Sequence[str], *, width: int, most: int = 24) -> dict[str, Any]:
    """Return colours, and dashes where there are more names than colours, with their legend."""
    shown = short_labels(names, most=most)
    columns = max(1, int(width // (40 + 7.4 * max(map(len, shown), default=1))))
    key = {"columns": columns, "symbolType": "stroke"}
    colors = [SERIES[k % len(SERIES)] for k in range(len(names))]
    scale = {"domain": shown, "range": colors}
    coded: dict[str, Any] = {"color": field("series", "nominal", scale=scale, legend=key)}
    if len(names) > len(SERIES):
        dashes = [DASHES[k // len(SERIES) % len(DASHES)] for k in range(len(names))]
        dashing = {"domain": shown, "range": dashes}
        coded["strokeDash"] = field("series", "nominal", scale=dashing, legend=key)
    return coded


def find(comparison: Comparison, model: str | None) -> ModelResult:
    """Return the model of that name, or the only one; UsageError if there is none."""
    if model is None and len(comparison.models) == 1:
        return comparison.models[0]
    for result in comparison.models:
        if result.name == model:
            return result
    names = ", ".join(result.name for result in comparison.models)
    if model is None:
        raise UsageError(f"expected the name of a model, found none: name one of {names}")
    raise UsageError(f"expected a model of this comparison ({names}), found {model}")


def require_addresses() -> None:
    """Raise UsageError where a limit on addresses (`ulimit -v`) would end a process that draws.

    The JavaScript engine that draws reserves addresses it never uses, and gives up without them.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit not in (resource.RLIM_INFINITY, -1) and limit < _ADDRESSES:
        raise UsageError(
            f"expected room to reserve {_ADDRESSES / 2**30:.0f} GiB of addresses to draw, found "
            f"a limit of {limit / 2**30:.3g} GiB: raise it (ulimit -v unlimited)"
        )


def _renamed(body: str, alt: str) -> str:
    """Give clipping paths and the like names that no other figure of a page has."""
    names = dict.fromkeys(re.findall(r' id="([^"]+)"', body))
    plain = re.sub(r' id="[^"]+"|url\(#[^)]+\)', "", body)  # names count what a process has drawn
    mark = hashlib.sha256((plain + alt).encode()).hexdigest()[:8]
    for number, name in enumerate(names):
        body = body.replace(f'id="{name}"', f'id="f{mark}-{number}"')
        body = body.replace(f"url(#{name})", f"url(#f{mark}-{number})")
    return body


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _rounded(value: Any) -> Any:
    """Return `value` as JSON's own types, with six digits; a number that is not finite as None."""
    kind = type(value)  # asked of a hundred thousand values, most of them of these kinds
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return float(f"{value:.6g}") if isfinite(value) else None
    if isinstance(value, dict | Mapping):
        return {str(key): _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return _rounded(value.tolist())
    return value
