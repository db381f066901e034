"""How fast `bakeoff serve` answers: python -m benchmarks.serving STUDY [--model M]; two minutes.

Three figures, on one core for the server (the load comes from another process): answers to single
images at an open load of 100 a second; answers a second at full load, beside plain Keras `predict`
behind the same web framework; and the server's memory after many requests.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

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


async def _ask(port: int, body: bytes) -> float:
    """Send one request on a connection of its own; return the seconds until the answer."""
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(body, "close"))
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"expected 200, found {answer[:200]!r}")
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


def _memory(process: int) -> float:
    """Return a process's memory in MB."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def _start(command: list[str], port: int, core: int) -> subprocess.Popen[bytes]:
    pinned = ["taskset", "-c", str(core), *command]
    process = subprocess.Popen(pinned, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            asyncio.run(_ask(port, BODY[0]))
            return process
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"did not start: {' '.join(command)}")


BODY: list[bytes] = []


def main() -> None:
    """Measure and print one JSON document."""
    import io

    from PIL import Image

    from bakeoff.storage.study_folder import StudyFolder
    from bakeoff.study.trained_model import trained_model
    from bakeoff.study.training_profile import read_profile

    parser = argparse.ArgumentParser()
    parser.add_argument("study")
    parser.add_argument("--model")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--requests", type=int, default=100_000)
    words = parser.parse_args()
    trained = trained_model(StudyFolder(words.study), model=words.model)
    profile = read_profile(trained.folder)
    assert profile is not None
    buffer = io.BytesIO()
    pixels = np.round(profile.images[0, ..., 0] * (255 / trained.maximum)).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, format="PNG")
    BODY[:] = [buffer.getvalue()]
    saved = Path("benchmarks-serving.keras")
    trained.keras_model().save(saved)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    ours = [sys.executable, "-m", "bakeoff", "serve", words.study, "--port", "8765"]
    ours += ["--model", trained.name]
    plain = [sys.executable, "-c", PLAIN, str(saved), "8766"]
    found: dict[str, Any] = {
        "model": trained.title,
        "machine": platform.processor() or platform.machine(),
        "cores": len(cores),
        "load average": os.getloadavg()[0],
        "date": datetime.now(UTC).date().isoformat(),
    }
    servers = [_start(ours, 8765, cores[0]), _start(plain, 8766, cores[0])]
    try:
        times = asyncio.run(open_load(8765, BODY[0], rate=100, seconds=words.seconds))
        found["milliseconds at 100 a second"] = {
            "n": len(times),
            "median": round(1000 * float(np.median(times)), 2),
            "99 %": round(1000 * float(np.quantile(times, 0.99)), 2),
        }
        rounds = [
            (
                asyncio.run(full_load(8765, BODY[0], clients=16, seconds=words.seconds / 3)),
                asyncio.run(full_load(8766, BODY[0], clients=16, seconds=words.seconds / 3)),
            )
            for _ in range(3)  # in turn, so that what else the machine does hits both
        ]
        found["answers a second at full load"] = {
            "bakeoff": [round(ours, 1) for ours, _ in rounds],
            "keras": [round(plain, 1) for _, plain in rounds],
            "ratio": round(float(np.median([ours / plain for ours, plain in rounds])), 2),
        }
        before, done = _memory(servers[0].pid), 0.0
        while done < words.requests:
            done += 5 * asyncio.run(full_load(8765, BODY[0], clients=16, seconds=5))
        found["memory"] = {
            "requests": int(done),
            "MB before": round(before, 1),
            "MB after": round(_memory(servers[0].pid), 1),
        }
    finally:
        for server in servers:
            server.terminate()
            server.wait(timeout=30)
        saved.unlink()
    print(json.dumps(found, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
