"""Pages, parsed again; names and titles that would run if they were not escaped."""

import re
from html.parser import HTMLParser
from typing import Any

Attributes = list[tuple[str, str | None]]

CLASSES = (
    "<script>alert(1)</script>",
    "\"quoted\" & 'single'",
    "<img src=x onerror=alert(2)>",
    "Shirt",
    "T-shirt/top",
    "{{ 7 * 7 }}",
    "$x_1$ | [a](b)",
    "[red]not red[/red]",
    "</style></table>",
    "鞋",
)
TITLE = "<script>alert('title')</script> & {{ title }} </title>"


class Page(HTMLParser):
    """A page as (tag, attributes) in order, its text, and the text of some elements."""

    VOID = frozenset(("meta", "br", "img", "hr", "link", "input"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[int] = []
        self.text: list[str] = []
        self.inside: dict[int, list[str]] = {}
        self.body = ""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(len(self.tags) - 1)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        open_tag = self.tags[self.stack.pop()][0]
        assert open_tag == tag, f"<{open_tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        for index in self.stack:
            self.inside.setdefault(index, []).append(data)
        if not any(self.tags[index][0] in ("script", "style", "title") for index in self.stack):
            self.text.append(data)

    def of(self, tag: str, **attributes: str) -> list[dict[str, Any]]:
        """Return the attributes of every element of a kind that has these."""
        return [
            given
            for name, given in self.tags
            if name == tag and all(given.get(key) == value for key, value in attributes.items())
        ]

    def words(self, tag: str) -> list[str]:
        """Return the text inside every element of a kind."""
        return [
            "".join(self.inside.get(index, ()))
            for index, (name, _) in enumerate(self.tags)
            if name == tag
        ]


def parse(page: str) -> Page:
    """Return a page parsed; every element must be closed."""
    parser = Page()
    parser.feed(page)
    assert not parser.stack
    plain = Page()  # without the links to the glossary, which stand inside sentences
    plain.feed(re.sub(r'<a class="term"[^>]*>([^<]*)</a>', r"\1", page))
    text = " ".join(" ".join(plain.text).replace("\u00a0", " ").split())
    parser.body = re.sub(r" (?=[.,;])", "", text)
    return parser
