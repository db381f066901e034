"""Bakeoff on a GPU: checks, and speed beside Keras and PyTorch on the same card; one JSON file.

    python -m benchmarks.gpu                           # on a GPU, in under 8 minutes
    python -m benchmarks.gpu --device cpu --share 0.1  # the same once through, smaller, on a CPU

Nothing is installed or downloaded: images are made up in MNIST's shape, which takes as long, and
PyTorch is left out where it is missing. Each measurement is a process of its own, which has the
card's memory to itself, and a share of the time.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bakeoff.storage import atomic
from benchmarks.contestants import MANY_STEPS, REPOSITORY
from benchmarks.gpu_tasks import PARTS
from benchmarks.machine import machine, versions

IMAGES = {"model-8": 20_480, "dense": 20_480, "cnn": 8_192, "fashion-cnn": 4_096}  # of an epoch
DOCUMENT = REPOSITORY / "docs" / "gpu.json"  # `python -m benchmarks write` takes it in
SEEDS = ("1", "8", "32", "128")
OTHERS: dict[str, dict[str, Any]] = {  # what each trains one seed with
    "Keras": {"part": "keras", "steps": 1},
    f"Keras, {MANY_STEPS} steps a call": {"part": "keras", "steps": MANY_STEPS},
    "PyTorch": {"part": "torch", "mode": "default"},
    "PyTorch, CUDA graphs": {"part": "torch", "mode": "reduce-overhead"},
}
ENTERED = ("32", *OTHERS, "8", "1", "128")  # each for all workloads: what targets ask for is first
CHECKED = ("dense", "cnn", "fashion-cnn")
TARGETS = {"model-8": 20.0, "dense": 20.0, "cnn": 5.0, "fashion-cnn": 5.0}  # x Keras, 32 seeds
TARGET_SEEDS = "32"
_LEAST_LIMIT = 25  # seconds that any measurement may take, while there is time
_RESULT = "result: "

Plain = dict[str, Any]


def ask(task: Plain, limit: float) -> Plain:
    """Do a task in a process of its own; return what it found, or why it did not."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if task["device"] == "cpu":
        environment["JAX_PLATFORMS"] = "cpu"
    command = [sys.executable, "-m", "benchmarks.gpu", "--task", json.dumps(task)]
    try:
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"skipped": f"it took longer than {limit:.0f} s"}
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(_RESULT):
            return dict(json.loads(line.removeprefix(_RESULT)))
    lines = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
    return {"skipped": lines[-1][:300]}


def carry_out(
    device: str,
    *,
    share: float,
    seconds: float,
    say: Callable[[str], None],
    before: Plain | None = None,
) -> Plain:
    """Check and measure everything; return the document.

    share : of the images of an epoch
    seconds : for all of it; what does not fit is left out, and said to be
    before : a document of the same card, whose figures are kept; what it lacks is measured
    """
    ends = time.monotonic() + seconds
    sizes = {name: max(256, int(images * share) // 128 * 128) for name, images in IMAGES.items()}
    checks = _checks(device, limit=0.12 * seconds)
    say(f"checks: {checks}")
    found: dict[str, Plain] = {
        name: {"images": sizes[name], **(before["workloads"][name] if before else {})}
        for name in IMAGES
    }
    tasks = [
        (name, key)
        for key in ENTERED
        for name in IMAGES
        if "images_per_second" not in found[name].get(key, {})
    ]
    for done, (name, key) in enumerate(tasks):
        left = ends - time.monotonic()
        part = left / (len(tasks) - done)
        task: Plain = {"device": device, "workload": name, "images": sizes[name]}
        task |= _entered(key)
        limit = max(3 * part, _LEAST_LIMIT)
        result: Plain = (
            ask({**task, "seconds": 0.5 * part}, limit=min(limit, left))
            if left > 5
            else {"skipped": "no time was left"}
        )
        if "epoch_seconds" in result:
            result["images_per_second"] = task["seeds"] * sizes[name] / result["epoch_seconds"]
        found[name][key] = result
        say(f"{name}, {_head(key)}: {result}")
    document = {
        "machine": machine(),
        "versions": versions(),
        "device": device,
        "share": share,
        "seconds": round(seconds - (ends - time.monotonic()), 1),
        "date": time.strftime("%Y-%m-%d"),
        "checks": checks,
        "workloads": found,
    }
    return document if before is None else {**document, "added": tasks}


def _checks(device: str, *, limit: float) -> Plain:
    """Return what the checks found, or why one was not done; at most `limit` seconds each."""
    found: Plain = {}
    for name in CHECKED:
        task = {"part": "check", "device": device, "workload": name, "images": 512}
        result = ask(task, limit=limit)
        found |= {f"{name}: skipped": result["skipped"]} if "skipped" in result else result
    return found


def _entered(key: str) -> Plain:
    """Return the part of a task that says who trains, and how many seeds."""
    return {**OTHERS[key], "seeds": 1} if key in OTHERS else {"part": "bakeoff", "seeds": int(key)}


def _head(key: str) -> str:
    return key if key in OTHERS else "1 seed" if key == "1" else f"{key} seeds"


def table(document: Plain) -> str:
    """Return the document as Markdown: a sentence and a table for docs/benchmarks.md."""
    checks = document["checks"]
    failed = [name for name, passed in checks.items() if passed is False]
    undone = [f"{name}: {why}" for name, why in checks.items() if name.endswith(": skipped")]
    verdict = f"failed: {', '.join(failed)}" if failed else "" if undone else "all passed"
    verdict = "; ".join(filter(None, (verdict, *undone)))
    name, keys = checks.get("device", document["device"]), (*SEEDS, *OTHERS)
    lines = [
        f"measured on {name}, {document['date']} (`python -m benchmarks.gpu`). Checks: {verdict}. "
        "Images a second, all seeds together, in thousands; Keras `fit` on JAX and a compiled "
        f"PyTorch loop train one seed.{_added(document)}",
        "",
        f"| model | {' | '.join(map(_head, keys))} | {_head(TARGET_SEEDS)} over the best Keras "
        "| target |",
        f"| --- |{' --- |' * (len(keys) + 2)}",
    ]
    for workload, found in document["workloads"].items():
        speeds = {key: found.get(key, {}).get("images_per_second") for key in keys}
        cells = ["–" if each is None else f"{each / 1000:,.1f}" for each in speeds.values()]
        ours = speeds[TARGET_SEEDS]
        theirs = max(speeds[key] or 0 for key in OTHERS if OTHERS[key]["part"] == "keras")
        ratio, target = "–", f"{TARGETS[workload]:.0f} ×"
        if ours and theirs:
            ratio = f"{ours / theirs:.1f} ×"
            target += ": yes" if ours / theirs >= TARGETS[workload] else ": **no**"
        lines.append(f"| `{workload}` | {' | '.join(cells)} | {ratio} | {target} |")
    return "\n".join(lines)


def _added(document: Plain) -> str:
    """Return what the first run had no time for and a second one added, and a note by hand."""
    done = {
        _head(key): None
        for workload, key in document.get("added", ())
        if "images_per_second" in document["workloads"][workload][key]
    }
    said = [f"Measured minutes later on such a card: {'; '.join(done)}."] if done else []
    return "".join(f" {each}" for each in (*said, document.get("note")) if each)


def measured(path: Path = DOCUMENT) -> str | None:
    """Return what docs/benchmarks.md says of the GPU; None before it was measured on one."""
    if not path.is_file():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    return table(document) if document["device"] == "gpu" else None


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line; return the exit code: 1 if a check failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--share", type=float, default=1.0, help="of the images of an epoch")
    parser.add_argument("--seconds", type=float, default=450.0, help="for all of it")
    parser.add_argument("--out", type=Path, default=DOCUMENT)
    parser.add_argument(
        "--add", action="store_true", help="measure what the document of the same card lacks"
    )
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.task:
        task = json.loads(options.task)
        sys.stdout.write(f"{_RESULT}{json.dumps(PARTS[task['part']](task))}\n")
        return 0
    document = carry_out(
        options.device,
        share=options.share,
        seconds=options.seconds,
        say=_say,
        before=json.loads(options.out.read_text(encoding="utf-8")) if options.add else None,
    )
    atomic.write_file(options.out, (json.dumps(document, indent=1) + "\n").encode())
    sys.stdout.write(f"{table(document)}\n\n{options.out}\n")
    checks = document["checks"].items()
    return int(any(value is False or name.endswith(": skipped") for name, value in checks))


if __name__ == "__main__":
    raise SystemExit(main())
