"""Tables of pixels, as people have them in CSV files."""

from pathlib import Path
from typing import Any


def write_pixels(
    path: Path,
    rows: Any,
    *,
    header: bool = True,
    names: str = "pixel{}",
    label: str = "label",
    last: bool = False,
    extra: str | None = None,
) -> Path:
    """Write (pixels, labels) as a table; extra is the name of a column of indices before all."""
    pixels, labels = rows
    columns = [names.format(each) for each in range(pixels.shape[1])]
    heads = [*columns, label] if last else [label, *columns]
    lines: list[list[object]] = [[*([extra] if extra else []), *heads]] if header else []
    for number, (values, kind) in enumerate(zip(pixels, labels, strict=True)):
        cells = [[kind], list(values)] if not last else [list(values), [kind]]
        lines.append([*([number] if extra else []), *cells[0], *cells[1]])
    path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")
    return path
