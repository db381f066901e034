"""How fast `bakeoff serve` answers: python -m benchmarks.serving; three minutes on two quiet cores.

Three figures, on one core for the server (the load comes from another process): answers to single
images at an open load of 100 a second; answers a second at full load, beside plain Keras `predict`
behind the same web framework; and the server's memory after many requests. Without a study it
trains the CNN of three-models for one epoch, in build/serving. The table of docs/serving.md is
written anew; `--keep` leaves it as it is.
"""

import argparse
import asyncio
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import uvloop

from bakeoff import recipe as recipes
from bakeoff.cli import main as bakeoff
from bakeoff.storage.study_folder import StudyFolder
from benchmarks.machine import machine

ROOM = Path("build/serving")
PAGE = Path("docs/serving.md")
BEGIN, END = "<!-- figures: made by benchmarks/serving.py -->", "<!-- end of the figures -->"
CLIENTS = 16
PORTS = (8765, 8766)  # ours, plain Keras
PLAIN = """
import io, os, sys
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy as np, uvicorn
from fastapi import FastAPI, Request
from PIL import Image
model = keras.saving.load_model(sys.argv[1])
model.predict(np.zeros((1, *model.input_shape[1:]), "uint8"), verbose=0)
app = FastAPI()
@app.post("/predict")
async def predict(request: Request):
    pixels = np.asarray(Image.open(io.BytesIO(await request.body())).convert("L"))
    return {"probabilities": model.predict(pixels[None, ..., None], verbose=0)[0].tolist()}
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


Result = TypeVar("Result")


class Unanswered(Exception):
    """A server that listens and does not predict (yet)."""


async def _ask(port: int, body: bytes) -> float:
    """Send one request on a connection of its own; return the seconds until the answer."""
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(body, "close"))
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Unanswered(f"expected 200, found {answer[:200]!r}")
    return time.perf_counter() - begun


def _request(body: bytes, connection: str) -> bytes:
    head = (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n"
    )
    return head.encode() + body


async def open_load(port: int, body: bytes, *, rate: float, seconds: float) -> list[float]:
    """Ask `rate` times a second whatever the answers do; return each answer's seconds."""
    begun, tasks = time.perf_counter(), []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(_ask(port, body)))
    return list(await asyncio.gather(*tasks))


async def full_load(port: int, body: bytes, *, clients: int, seconds: float) -> float:
    """Let clients ask one after the other on kept connections; return answers a second."""
    counts = [0] * clients
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(_request(body, "keep-alive"))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            counts[number] += head.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return sum(counts) / seconds


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a client in the fastest loop there is, so that it is no bottleneck."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@dataclass(frozen=True)
class Full:
    """One round at full load: answers a second, and processor seconds an answer."""

    a_second: float
    processor: float


def _full(process: int, port: int, body: bytes, seconds: float) -> Full:
    before = _processor(process)
    a_second = _run(full_load(port, body, clients=CLIENTS, seconds=seconds))
    return Full(a_second, (_processor(process) - before) / (a_second * seconds))


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 1)


def _processor(process: int) -> float:
    """Return the seconds that a process has computed, all its threads together."""
    text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _memory(process: int) -> float:
    """Return a process's memory in MB."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def _start(command: list[str], port: int, core: int, body: bytes) -> subprocess.Popen[bytes]:
    pinned = ["taskset", "-c", str(core), *command]
    process = subprocess.Popen(pinned, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _run(_ask(port, body))
            return process
        except (OSError, Unanswered):
            time.sleep(0.3)
    raise SystemExit(f"did not start: {' '.join(command)}")


def _study() -> Path:
    """Return a study of the CNN of three-models, trained for one epoch on MNIST."""
    study = ROOM / "study"
    if StudyFolder(study).openings():
        return study
    shipped = recipes.load("three-models").resolved()
    cnn = {"name": "serving", "data": "mnist", "baselines": [], "seeds": 1}
    cnn |= {key: shipped[key] for key in ("split", "selection")}
    model = shipped["models"]["cnn"]
    cnn["models"] = {"cnn": {**model, "training": {**model["training"], "epochs": 1}}}
    ROOM.mkdir(parents=True, exist_ok=True)
    (ROOM / "cnn.yaml").write_text(json.dumps(cnn), encoding="utf-8")  # JSON is YAML
    os.environ["BAKEOFF_HOME"] = str(ROOM / "home")
    if code := bakeoff(["run", str(ROOM / "cnn.yaml"), "--out", str(study)]):
        raise SystemExit(code)
    return study


def _picture(images: Any, maximum: float) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    pixels = np.round(images[0, ..., 0] * (255 / maximum)).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def measure(study: Path, *, model: str | None, seconds: float, requests: int) -> dict[str, Any]:
    """Return the three figures of a study that is finished."""
    from bakeoff.study.winner.trained_model import trained_model
    from bakeoff.study.winner.training_profile import read_profile

    trained = trained_model(StudyFolder(study), model=model)
    profile = read_profile(trained.folder)
    assert profile is not None
    body = _picture(profile.images, trained.maximum)
    ROOM.mkdir(parents=True, exist_ok=True)
    saved = ROOM / "plain.keras"
    trained.keras_model().save(saved)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    ours = [sys.executable, "-m", "bakeoff", "serve", str(study), "--port", str(PORTS[0])]
    ours += ["--model", trained.name]
    plain = [sys.executable, "-c", PLAIN, str(saved), str(PORTS[1])]
    data = trained.study["data"]["name"]
    found: dict[str, Any] = {
        "model": f"`{trained.name}` on {data}, {trained.keras_model().count_params():,} parameters",
        "machine": machine()["processor"],
        "cores": len(cores),
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.now(UTC).date().isoformat(),
    }
    commands = zip((ours, plain), PORTS, strict=True)
    servers = [_start(command, port, cores[0], body) for command, port in commands]
    try:
        for port in PORTS:
            _run(full_load(port, body, clients=CLIENTS, seconds=1))
        found["open"] = _single_pictures(body, seconds=seconds)
        found["full"] = _beside_keras(servers, body, seconds=seconds / 3)
        found["memory"] = _growth(servers[0].pid, body, requests=requests)
    finally:
        for server in servers:
            server.terminate()
            server.wait(timeout=30)
    return found


def _single_pictures(body: bytes, *, seconds: float) -> dict[str, Any]:
    """Return the milliseconds of single pictures at an open load of 100 a second."""
    times = _run(open_load(PORTS[0], body, rate=100, seconds=seconds))
    return {
        "n": len(times),
        "median": round(1000 * float(np.median(times)), 2),
        "99": round(1000 * float(np.quantile(times, 0.99)), 2),
    }


def _beside_keras(
    servers: Sequence[subprocess.Popen[bytes]], body: bytes, *, seconds: float
) -> dict[str, Any]:
    """Return the figures of three rounds at full load, each of so many seconds a server."""
    rounds = [
        [
            _full(server.pid, port, body, seconds)
            for server, port in zip(servers, PORTS, strict=True)
        ]
        for _ in range(3)  # in turn, so that what else the machine does hits both
    ]
    return {
        "bakeoff": [round(ours.a_second) for ours, _ in rounds],
        "keras": [round(plain.a_second) for _, plain in rounds],
        "ratio": _median(ours.a_second / plain.a_second for ours, plain in rounds),
        "bakeoff_microseconds": round(_median(1e6 * ours.processor for ours, _ in rounds)),
        "keras_microseconds": round(_median(1e6 * plain.processor for _, plain in rounds)),
        "processor_ratio": _median(plain.processor / ours.processor for ours, plain in rounds),
    }


def _growth(pid: int, body: bytes, *, requests: int) -> dict[str, Any]:
    """Return the memory of our server before and after so many requests."""
    before, done = _memory(pid), 0.0
    while done < requests:
        done += 5 * _run(full_load(PORTS[0], body, clients=CLIENTS, seconds=5))
    return {"requests": int(done), "before": round(before), "after": round(_memory(pid))}


def table(found: dict[str, Any]) -> str:
    """Return the figures as docs/serving.md shows them."""
    load, full, memory = found["open"], found["full"], found["memory"]
    rows = [
        ("", "measured", "aim"),
        ("---", "---", "---"),
        (
            f"{load['n']:,} single pictures at an open load of 100 a second",
            f"{load['median']} ms at the median, {load['99']} ms at the 99th percentile",
            "5 and 20 ms",
        ),
        (
            f"full load, {CLIENTS} clients, three rounds",
            f"{_each(full['bakeoff'])} answers a second",
            "300",
        ),
        (
            "plain Keras `predict` behind FastAPI, in turn with it",
            f"{_each(full['keras'])}: Bakeoff gives {full['ratio']} times as many",
            "3 times",
        ),
        (
            "the server's processor time an answer",
            f"{full['bakeoff_microseconds']:,} µs; plain Keras {full['keras_microseconds']:,}: "
            f"{full['processor_ratio']} times as much",
            "",
        ),
        (
            f"memory before and after {memory['requests']:,} requests",
            f"{memory['before']:,} and {memory['after']:,} MB",
            "no growth",
        ),
    ]
    about = (
        f"`python -m benchmarks.serving`: {found['model']}, PNG pictures; the server on one core "
        f"of {found['cores']} ({found['machine']}), {found['date']}, load average {found['load']}."
    )
    return f"{about}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _each(values: list[int]) -> str:
    return ", ".join(f"{value:,}" for value in values)


def write(text: str, page: Path = PAGE) -> None:
    """Put the figures in their place in the page."""
    content = page.read_text(encoding="utf-8")
    start, end = content.index(BEGIN) + len(BEGIN), content.index(END)
    page.write_text(f"{content[:start]}\n{text}\n{content[end:]}", encoding="utf-8")


def main() -> None:
    """Measure, print one JSON document and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="do not write docs/serving.md")
    words = parser.parse_args()
    found = measure(
        words.study or _study(),
        model=words.model,
        seconds=words.seconds,
        requests=words.requests,
    )
    print(json.dumps(found, indent=1))  # noqa: T201
    if not words.keep:
        write(table(found))


if __name__ == "__main__":
    main()
