"""A matplotlib figure as SVG for a web page: small, themed, nameless to the network.

What matplotlib writes is parsed and written again: no DOCTYPE, no metadata, no namespace, no
address, no style attribute (a strict Content-Security-Policy forbids them), colours of the palette
as CSS variables, text as text in the page's own font.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from bakeoff.report.plots.style import PALETTE, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VARIABLES = {light: f"var(--{name}, {light})" for name, (light, _) in PALETTE.items()}
_NUMBER = re.compile(r"-?\d+\.\d+")
_DROPPED_PROPERTIES = {"font-family", "font", "stroke-linejoin", "stroke-miterlimit"}
_NAMESPACE = "http://www.w3.org/2000/svg"


def svg(figure: Figure, *, alt: str, standalone: bool = False) -> str:
    """Return the figure as one `<svg>` element; `alt` says in words what it shows.

    Equal figures give equal bytes. With `standalone` it is a file of its own that follows the
    reader's light or dark setting, and carries the SVG namespace that files need.
    """
    root = ElementTree.fromstring(_draw(figure))
    _clean(root)
    _rename(root, alt)
    height, width = figure.get_figheight() * 72, figure.get_figwidth() * 72
    root.attrib = {"viewBox": f"0 0 {width:.5g} {height:.5g}", "role": "img", "aria-label": alt}
    if standalone:
        root.attrib |= {"xmlns": _NAMESPACE, "width": f"{width:.5g}", "height": f"{height:.5g}"}
        root.attrib["font-family"] = "system-ui, sans-serif"
        style = Element("style")
        style.text = _theme()
        root.insert(0, style)
    return ElementTree.tostring(root, encoding="unicode")


@styled
def _draw(figure: Figure) -> str:
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # The page's font has the letters; matplotlib's only measures them here.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # savefig with transparent=True leaves the figure itself as it was.
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    return buffer.getvalue()


def _clean(element: Element) -> None:
    """Drop what a page does not need, below and including this element."""
    element.tag = element.tag.partition("}")[2] or element.tag
    element.tail = None
    if element.tag != "text" and not (element.text or "").strip():
        element.text = None
    attributes: dict[str, str] = {}
    for name, value in element.attrib.items():
        if name == "style":
            attributes |= _presentation(value)
        else:
            attributes[name.partition("}")[2] or name] = _round(value)
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    path = attributes.get("d", "")
    if path and not re.search("[CQ]", path):
        attributes["d"] = path.replace(" L ", " ")  # a line is what follows a point anyway
    element.attrib = attributes
    for child in list(element):
        _clean(child)
        if child.tag in ("metadata", "style") or _invisible(child):
            element.remove(child)


def _presentation(style: str) -> dict[str, str]:
    """Turn a style attribute into attributes of their own."""
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    properties = {name.strip(): value.strip() for name, value in pairs}
    return {
        name: _VARIABLES.get(value.lower(), _round(value).removesuffix("px"))
        for name, value in properties.items()
        if name not in _DROPPED_PROPERTIES
    }


def _round(text: str) -> str:
    """Write every number in a text with at most two decimals, on one line."""
    short = _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), text)
    return " ".join(short.split()).replace("-0 ", "0 ") if short else short


def _invisible(element: Element) -> bool:
    if element.tag in ("g", "defs"):
        return len(element) == 0
    unseen = element.get("fill") == "none" and element.get("stroke", "none") == "none"
    return element.tag == "path" and unseen and "id" not in element.attrib


def _rename(root: Element, alt: str) -> None:
    """Keep only the names that something points to, and make them this figure's own."""
    texts = [value for element in root.iter() for value in element.attrib.values()]
    used = {name for text in texts for name in re.findall(r"#([\w-]{5,})", text)}
    content = ElementTree.tostring(root) + alt.encode()  # two figures may be drawn alike
    mark = hashlib.sha256(content).hexdigest()[:8]
    names = {
        name: f"f{mark}-{number}"
        for number, name in enumerate(
            element.attrib["id"] for element in root.iter() if element.get("id") in used
        )
    }
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id":
                element.attrib.pop("id")
                if value in names:
                    element.attrib["id"] = names[value]
            elif "#" in value:
                element.attrib[key] = re.sub(
                    r"#([\w-]{5,})", lambda match: f"#{names.get(match[1], match[1])}", value
                )


def _theme() -> str:
    def variables(which: int) -> str:
        return "".join(f"--{name}:{pair[which]};" for name, pair in PALETTE.items())

    return (
        f"svg{{background:{PALETTE['paper'][0]};{variables(0)}}}"
        f"@media(prefers-color-scheme:dark){{svg{{background:{PALETTE['paper'][1]};"
        f"{variables(1)}}}}}"
    )
