"""The benchmark's command line: what to measure, all of it by default, and where to keep it."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bakeoff.errors import BakeoffError, Interrupted, UsageError
from bakeoff.storage import atomic
from benchmarks import accuracy, comparing, digits, scaling, speed, start, studies
from benchmarks.contestants import BY_NAME, CONTESTANTS, REPOSITORY
from benchmarks.journal import Journal
from benchmarks.machine import cores, identity, load, machine, versions
from benchmarks.page import file_of, others, page
from benchmarks.summary import summarise
from benchmarks.workloads import WORKLOADS, Workload, named

FOLDER = REPOSITORY / ".bench"
DOCS = REPOSITORY / "docs"
PARTS = {
    "speed": "throughput of the workloads",
    "digits": "the digits study whole",
    "start": "the short commands, and from `run` on MNIST to the first epoch",
    "scaling": "time and memory as the work grows",
    "studies": "time and memory as a study gets more models or folds",
    "comparing": "comparing and reporting a large study",
    "accuracy": "do all learn the same?",
    "write": "benchmarks.md and benchmarks.json from what is measured, or those of --name",
    "status": "say what is measured",
}
_MOST_SCALING_REPEATS = 3
_BUSY = 0.5  # processes wanting a core, beside this one


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code, as Bakeoff's own does."""
    options = _parser().parse_args(argv)
    try:
        _do(options)
    except BakeoffError as error:
        return _failed(error)
    except KeyboardInterrupt:
        return _failed(
            Interrupted("interrupted; what is measured is kept, the same command goes on")
        )
    return 0


def _failed(error: BakeoffError) -> int:
    sys.stderr.write(f"benchmarks: {error}\n")
    return error.exit_code


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parts = "\n".join(f"  {name:<10} {text}" for name, text in PARTS.items())
    workloads = ", ".join(workload.name for workload in WORKLOADS)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure how fast Bakeoff trains, beside others; what is measured is kept.",
        epilog=f"parts:\n{parts}\n\nworkloads: {workloads}\n\n"
        "Without a part or workload, all of it; with workloads alone, their speed.",
    )
    add = parser.add_argument
    add("words", nargs="*", metavar="PART|WORKLOAD", help="what to do, in this order")
    add("--repeats", type=_at_least_one, default=5, metavar="N", help="5 by default")
    add("--seconds", type=float, default=3.0, metavar="S", help="of a repeat, about; 3 by default")
    add("--only", action="append", default=[], metavar="NAME", help="a contestant; repeatable")
    add("--compile", action="store_true", help="also try torch.compile: minutes more a workload")
    add("--images", type=_at_least_one, metavar="N", help="fewer, to try it out; needs --folder")
    add("--name", type=_name, help="of another machine: writes benchmarks-NAME.md and .json")
    add("--folder", type=Path, default=FOLDER, help="for measurements and logs; .bench by default")
    return parser


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def _name(text: str) -> str:
    if not re.fullmatch("[a-z0-9-]+", text):
        raise argparse.ArgumentTypeError(f"expected small letters, digits and -, found {text!r}")
    return text


def _do(options: argparse.Namespace) -> None:
    parts = [word for word in options.words if word in PARTS]
    workloads = named([word for word in options.words if word not in PARTS])
    if not parts:
        everything = [part for part in PARTS if part != "status"]
        parts = ["speed", "write"] if options.words else everything
    for name in options.only:
        if name not in BY_NAME:
            raise UsageError(
                f"--only: expected a contestant ({', '.join(BY_NAME)}), found {name!r}"
            )
    workloads = tuple(_smaller(each, options) for each in workloads)
    journal = Journal(options.folder / "journal.jsonl", identity=identity())
    run = speed.Run(
        journal,
        options.folder / "logs",
        options.repeats,
        options.seconds,
        options.only,
        options.compile,
        _say,
    )
    folder = DOCS if options.folder == FOLDER else options.folder
    if "write" in parts:
        _refuse_other_machine(folder / f"{file_of(options.name)}.json")
    _warn(parts)
    for part in parts:
        if part == "speed":
            for workload in workloads:
                speed.measure(workload, run)
        elif part == "accuracy":
            for workload in workloads:
                accuracy.measure(workload, run)
        elif part == "digits":
            digits.measure(journal, repeats=options.repeats, say=_say)
        elif part == "start":
            start.measure(journal, repeats=options.repeats, say=_say)
        elif part == "scaling":
            repeats = min(options.repeats, _MOST_SCALING_REPEATS)
            scaling.measure(journal, repeats=repeats, say=_say)
        elif part == "studies":
            studies.measure(journal, repeats=1, say=_say)
        elif part == "comparing":
            comparing.measure(journal, repeats=options.repeats, say=_say)
        elif part == "write":
            _write(journal, folder, options.name)
        else:
            _status(journal)


def _smaller(workload: Workload, options: argparse.Namespace) -> Workload:
    """Return the workload over fewer images, once around, if that was asked for."""
    if options.images is None:
        return workload
    if options.folder == FOLDER:
        raise UsageError("--images: expected a --folder too: such figures are not for the page")
    return replace(workload, images=options.images, accuracy_images=options.images, epochs=1)


def _warn(parts: Sequence[str]) -> None:
    lacking = [name for name, version in versions().items() if version is None]
    if lacking and {"speed", "accuracy"} & set(parts):
        raise UsageError(
            f"expected all that is compared, found no {', '.join(lacking)}: `make bench` installs "
            "it into .venv-bench"
        )
    if load() > _BUSY and set(parts) - {"write", "status"}:
        _say(
            f"Note: {load():.1f} processes have wanted a core in the last minute. Measure on a "
            "machine that does nothing else."
        )


def _refuse_other_machine(path: Path) -> None:
    """Refuse, before hours of measuring, to write over what another processor has done."""
    if not path.exists():
        return
    there = json.loads(path.read_text("utf-8"))["machine"]["processor"]
    here = machine()["processor"]
    if there != here:
        raise UsageError(
            f"expected measurements of {there} for {path.name}, found {here}: keep them beside it "
            "with --name NAME, or delete it first"
        )


def _write(journal: Journal, folder: Path, name: str | None) -> None:
    document = summarise(journal, machine=machine(), versions=versions(), name=name)
    if document["measured"] is None:
        raise UsageError(
            "expected measurements of this machine, these versions and this code, found none: run "
            "`make bench` first"
        )
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    path = folder / f"{file_of(name)}.json"
    atomic.write_file(path, f"{text}\n".encode())
    _write_page(path)
    first = folder / f"{file_of(None)}.json"
    if name and first.exists():
        _write_page(first)  # which leads to the others


def _write_page(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    beside = [] if document.get("name") else others(path.parent)
    atomic.write_file(path.with_suffix(".md"), page(document, beside).encode())
    _say(f"Wrote {path.with_suffix('.md')} from {path}")


def _status(journal: Journal) -> None:
    _say(f"{machine()['processor']}, {cores()} cores; measurements {journal.identity}")
    for workload in WORKLOADS:
        done = journal.lines("repeat", workload=workload.name)
        names = {line["contestant"] for line in done}
        counts = [f"{name} {sum(line['contestant'] == name for line in done)}" for name in names]
        accurate = [each for each in CONTESTANTS if accuracy.measured(workload, each, journal)]
        _say(
            f"{workload.name:<12} {', '.join(sorted(counts)) or 'none'}; {len(accurate)} accuracies"
        )
    for kind in ("digits", "waits", "scaling", "worker", "studies", "comparing"):
        _say(f"{kind:<12} {len(journal.lines(kind))}")


if __name__ == "__main__":
    sys.exit(main())
