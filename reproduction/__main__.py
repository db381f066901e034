"""The reproduction's command line: train, open, unsealed, write, show, status; or all of it."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from bakeoff import data
from bakeoff.errors import BakeoffError, Interrupted, UsageError
from bakeoff.storage import atomic
from bakeoff.study.progress.terminal_progress import progress
from reproduction import parts, unsealed

DOCS = parts.HERE.parent / "docs"
MARKDOWN, JSON = DOCS / "reproduction.md", DOCS / "reproduction.json"
DATA = ("mnist", "fashion-mnist")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code, as Bakeoff's own does."""
    options = _parser().parse_args(argv)
    try:
        options.do(options)
    except BakeoffError as error:
        return _say(error)
    except KeyboardInterrupt:
        return _say(Interrupted("interrupted; what is finished is kept, the same command goes on"))
    return 0


def _say(error: BakeoffError) -> int:
    sys.stderr.write(f"reproduction: {error}\n")
    return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reproduction", description=_everything.__doc__)
    parser.set_defaults(do=_everything, parts=[], seeds=None, workers=None, models=[])
    verbs = parser.add_subparsers(title="in pieces")

    def verb(name: str, do: object) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=do.__doc__, description=do.__doc__)
        added.set_defaults(do=do)
        return added

    train = verb("train", _train)
    train.add_argument("parts", nargs="*", metavar="PART", help="studies; all by default")
    train.add_argument("--seeds", type=int, metavar="N", help="seeds 0 … N-1 instead")
    train.add_argument("--workers", type=int, metavar="N", help="trials at a time")
    opening = verb("open", _open)
    opening.add_argument("parts", nargs="*", metavar="PART", help="studies; all by default")
    experiment = verb("unsealed", _unsealed)
    experiment.add_argument("models", nargs="*", metavar="MODEL", help="all by default")
    verb("write", _write)
    verb("show", _show).add_argument("section", metavar="SECTION")
    verb("status", _status)
    return parser


def _everything(options: argparse.Namespace) -> None:
    """Train what is missing, open the test sets, run the experiment, write the document."""
    _train(options)
    _open(options)
    _unsealed(options)
    _write(options)


def _train(options: argparse.Namespace) -> None:
    """Train what is missing; open nothing."""
    chosen = parts.named(options.parts)
    _require_data()
    with progress() as watcher:
        for part in chosen:
            if options.seeds is not None or parts.missing(part):
                watcher.note(f"study {part.name}")
                parts.train(part, seeds=options.seeds, workers=options.workers, watcher=watcher)


def _open(options: argparse.Namespace) -> None:
    """Open the test sets of studies whose trials are all done."""
    chosen = parts.named(options.parts)
    _require_data()
    with progress() as watcher:
        for part in chosen:
            parts.open_part(part, watcher=watcher)


def _unsealed(options: argparse.Namespace) -> None:
    """Run the experiment that chooses on test images."""
    _require_data()
    with progress() as watcher:
        unsealed.run(only=options.models, watcher=watcher)


def _write(options: argparse.Namespace) -> None:
    """Write docs/reproduction.json and docs/reproduction.md from the studies that are opened."""
    from reproduction.collect import collect
    from reproduction.page import page

    document = collect(kept=_kept())
    if not document["studies"]:
        raise UsageError(
            f"expected opened studies in {parts.ROOT}, found none: run `make reproduce` first"
        )
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    atomic.write_file(JSON, f"{text}\n".encode())
    atomic.write_file(MARKDOWN, page(document).encode())
    sys.stdout.write(f"Wrote {MARKDOWN} and {JSON}\n")


def _show(options: argparse.Namespace) -> None:
    """Print one section of the document, computed again from the studies."""
    from reproduction.collect import collect
    from reproduction.page import section

    sys.stdout.write(section(collect(kept=_kept()), options.section))


def _kept() -> dict[str, Any] | None:
    """Return the document as it was last written; None if there is none."""
    try:
        kept: dict[str, Any] = json.loads(JSON.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise UsageError(f"expected {JSON} as it was written, found no JSON: delete it") from None
    return kept


def _status(options: argparse.Namespace) -> None:
    """Say of every study what is missing, and whether its test set was opened."""
    for part in parts.named(options.parts):
        lacking = parts.missing(part)
        opened = part not in parts.folders(part.recipe)[1]
        state = "opened" if opened else "sealed"
        says = f"{len(lacking)} trials missing ({lacking[0]}, …)" if lacking else "all trials done"
        sys.stdout.write(f"{part.name:<18} {state}  {says}\n")


def _require_data() -> None:
    for name in DATA:
        data.load(name)


if __name__ == "__main__":
    sys.exit(main())
