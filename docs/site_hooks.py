"""What the site does with links that lead out of docs/: it keeps their words; no page is there."""

import re
from typing import Any

_OUTSIDE = re.compile(r"\[((?:`[^`]*`|[^\]])*)\]\((?:\.\./)+(?!how-to|docs/)[^)]*\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return a page without links to files of the repository that are no pages."""
    if page.file.src_uri.startswith("how-to/"):
        return re.sub(r"\[([^\]]*)\]\(\.\./\.\./[^)]*\)", r"\1", markdown)
    return _OUTSIDE.sub(r"\1", markdown)
