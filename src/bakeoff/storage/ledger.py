"""The ledger: one line for every opening of a test set, each following from the one before."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import DamagedFile
from bakeoff.storage.atomic import read_file, write_file
from bakeoff.storage.formats import LONGEST_TEXT, canonical, cause, sha256
from bakeoff.storage.schemas import check_document


def append_ledger(path: Path, entry: Mapping[str, Any], kind: str = "ledger.jsonl") -> None:
    """Append a line to a ledger; each line carries a hash of itself and of the line before.

    kind : the name of the file whose lines this one's are like
    """
    lines = read_ledger(path, kind) if path.exists() else []
    before = lines[-1]["sha256"] if lines else ""
    body = {**entry, "before": before}
    line = {**body, "sha256": sha256(canonical(body))}
    content = b"".join(_ledger_line(old) for old in [*lines, line])
    write_file(path, content)


def read_ledger(
    path: Path, kind: str = "ledger.jsonl", *, advice: str | None = None
) -> list[dict[str, Any]]:
    """Return a ledger's lines; raise StorageError if one was changed or taken out.

    advice : what to do then; None: what suits the ledger of a study
    """
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    before = ""
    content = read_file(path, most=LONGEST_TEXT)
    try:
        for text in content.decode().removesuffix("\n").split("\n"):
            line = json.loads(text)
            body = {key: value for key, value in line.items() if key != "sha256"}
            if line["before"] != before or line["sha256"] != sha256(canonical(body)):
                raise _altered(path, advice)
            before = line["sha256"]
            lines.append(check_document(line, path, kind))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise _altered(path, advice) from error
    if b"".join(_ledger_line(line) for line in lines) != content:
        raise _altered(path, advice)
    return lines


def _altered(path: Path, advice: str | None) -> DamagedFile:
    shows = None if advice else cause(path)
    advice = advice or "restore it from a copy; a study without its record needs another --out"
    return DamagedFile(
        f"{path}: expected a ledger in which every line follows from the one before, found "
        f"{shows or f'one that was changed: {advice}'}"
    )


def _ledger_line(line: Mapping[str, Any]) -> bytes:
    return (json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n").encode()
