"""The examples of using a winner, each run as its reader would.

Oracle: `result.predict` on the same pictures. Cost: 30 s, most of it starting Python and a server.
Run: pytest tests/use/test_examples.py
"""

import http.server
import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bakeoff.study.run import compare
from bakeoff.use.export.export import export
from tests.helpers import browser
from tests.use.test_serve import Server

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def pictures(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for place in range(4):
        pixels = np.round(digits.images[place, ..., 0] * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
    return folder


def ran(*words):
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=EXAMPLES)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_photographs_are_sorted(finished_study, pictures, tmp_path):
    lines = ran("sort_photographs.py", finished_study, pictures, tmp_path / "sorted")
    found = compare([finished_study]).predict(pictures)
    sure = (found.probabilities.max(axis=1) >= 0.9) & ~found.unlike
    folders = [name if good else "unsure" for name, good in zip(found.classes, sure, strict=True)]
    assert lines == [f"{n}: {f}" for n, f in zip(found.names, folders, strict=True)]
    copies = sorted(path.relative_to(tmp_path / "sorted") for path in tmp_path.rglob("*.png"))
    assert copies == sorted(Path(f, f"{i:05d}-{i}.png") for i, f in enumerate(folders))


def test_onnx_without_bakeoff(finished_study, pictures, tmp_path):
    result = compare([finished_study])
    export(result.trained("mlp", seed=0), "onnx", out=tmp_path / "out")
    files = sorted(pictures.glob("*.png"))
    lines = ran("onnx_in_15_lines.py", tmp_path / "out", *files)
    found = result.predict(pictures, model="mlp", seed=0)
    shares = [f"{row.max():.1%}" for row in found.probabilities]
    assert lines == [f"{n} {c} {s}" for n, c, s in zip(files, found.classes, shares, strict=True)]
    text = (EXAMPLES / "onnx_in_15_lines.py").read_text(encoding="utf-8")
    assert len([line for line in text.splitlines()[1:] if line.strip()]) <= 15


@pytest.mark.skipif(browser.find() is None, reason="there is no Chromium")
def test_a_page_of_one_s_own_asks_the_endpoint(finished_study, digits):
    served = Server(finished_study, "--model", "mlp", "--seed", "0")

    class Proxy(http.server.BaseHTTPRequestHandler):
        """One web server for the page and, at /predict, for Bakeoff behind it."""

        def do_GET(self):
            self._answer(200, "text/html", (EXAMPLES / "ask_the_endpoint.html").read_bytes())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = {"Content-Type": self.headers["Content-Type"]}
            request = urllib.request.Request(f"{served.address}/predict", body, kind)
            with urllib.request.urlopen(request) as answer:
                self._answer(answer.status, "application/json", answer.read())

        def _answer(self, status, kind, content):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    page = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    try:
        with browser.Browser() as window:
            window.open(f"http://127.0.0.1:{page.server_address[1]}/")
            pixels = digits.images[0, ..., 0].tolist()
            window.evaluate(CHOOSE % json.dumps(pixels))
            window.wait("document.getElementById('answer').textContent !== ''", seconds=60)
            told = window.evaluate("document.getElementById('answer').textContent")
        found = compare([finished_study]).predict(digits.images[:1], model="mlp", seed=0)
        assert told.startswith(f"{found.classes[0]}, {100 * found.probabilities[0].max():.0f}"[:5])
    finally:
        page.shutdown()
        page.server_close()
        served.stop()


CHOOSE = """(() => { const pixels = %s, canvas = document.createElement('canvas');
canvas.width = canvas.height = 8;
const pen = canvas.getContext('2d');
pixels.forEach((row, y) => row.forEach((value, x) => {
  const grey = Math.round(value * 255 / 16);
  pen.fillStyle = `rgb(${grey}, ${grey}, ${grey})`;
  pen.fillRect(x, y, 1, 1);
}));
canvas.toBlob((blob) => {
  const data = new DataTransfer(), input = document.getElementById('file');
  data.items.add(new File([blob], 'digit.png', {type: 'image/png'}));
  input.files = data.files;
  input.dispatchEvent(new Event('change'));
}); })()"""
