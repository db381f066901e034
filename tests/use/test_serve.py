"""`bakeoff serve` in a process of its own: pages, endpoint, hostile requests, a study that trains.

Oracle: `result.predict` on the same pictures; raw sockets for what no HTTP library would send; a
headless Chromium where there is one. Cost: 60 s, half of it starting the server and its network.
Run: pytest tests/use/test_serve.py
"""

import base64
import contextlib
import http.server
import io
import json
import re
import shutil
import socket
import threading
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bakeoff import recipe
from bakeoff.errors import DataError
from bakeoff.study.compare import compare
from bakeoff.study.run import run
from bakeoff.use.serve.answers import Answers
from bakeoff.use.serve.live import _seconds_left
from tests.helpers import browser, forked, small
from tests.helpers.photos import page
from tests.helpers.served import Server

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def server(finished_study, tmp_path_factory):
    said = tmp_path_factory.mktemp("server") / "said"
    server = Server(finished_study, "--model", "mlp", "--seed", "0", said=said)
    yield server
    assert server.stop() == ""


@pytest.fixture(scope="module")
def result(finished_study):
    return compare([finished_study])


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def shown(image):
    return np.round(image[..., 0] * (255 / 16)).astype(np.uint8)


# ── answers ──────────────────────────────────────────────────────────────────────────────────


def test_pictures_arrays_and_bytes_are_predicted_as_in_python(server, result, digits):
    images = digits.images[:5]
    expected = result.predict(images, model="mlp", seed=0)
    status, answer = server.post(png(shown(images[0])))
    assert (status, answer["model"]) == (200, "mlp, seed 0")
    (one,) = answer["predictions"]
    assert one["class"] == expected.classes[0] and not one["centred"]
    np.testing.assert_allclose(list(one["probabilities"].values()), expected.probabilities[0], 1e-4)
    as_json = json.dumps({"images": images[..., 0].tolist()})
    for body, kind in (
        (as_json, "application/json"),
        (images.tobytes(), "application/octet-stream"),
    ):
        status, answer = server.post(body, kind)
        found = [list(each["probabilities"].values()) for each in answer["predictions"]]
        assert status == 200
        np.testing.assert_allclose(found, expected.probabilities, 1e-4)
        unlike = [each["unlike_training"] for each in answer["predictions"]]
        assert unlike == expected.unlike.tolist()


def test_arrays_keep_their_fractions_and_what_lies_a_little_aside(server, result, digits):
    aside = np.array([0.4, -0.1]).reshape(2, 1, 1, 1)  # as bytes: nothing, and 255
    images = (digits.images[:2] + aside).clip(-0.1, 16.0)
    expected = result.predict(images, model="mlp", seed=0).probabilities
    status, answer = server.post(json.dumps({"images": images.tolist()}), "application/json")
    found = [list(each["probabilities"].values()) for each in answer["predictions"]]
    assert status == 200
    np.testing.assert_allclose(found, expected, 1e-4)


@pytest.mark.usefixtures("its_jobs_in_process")
def test_pictures_keep_their_grey_levels_where_training_images_have_none(tmp_path, rng):
    """Of bytes of 0 and 1 alone, a picture's grey became black; in Python it stayed grey."""
    images, labels = rng.integers(0, 2, (60, 8, 8)).astype(np.uint8), np.arange(60) % 2
    np.savez(tmp_path / "masks.npz", x=images, y=labels)
    only = {"models": {"line": {"layers": []}}, "seeds": 1, "baselines": []}
    found = small.carry_out(tmp_path / "masks.npz", tmp_path / "study", **only)
    answers = Answers(found.trained("line"))
    levels = rng.integers(0, 256, (8, 8)).astype(np.uint8)
    for adapt in ("auto", "never"):
        pixels, _ = answers.read(png(levels), "image/png", adapt)
        np.testing.assert_allclose(pixels[0, ..., 0], levels / 255, atol=1e-6)


def test_what_the_page_shows_is_taken_back_where_white_is_less_in_the_files(tmp_path, rng):
    for number in range(40):
        path = tmp_path / "data" / f"c{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 17, (8, 8)).astype(np.uint8)).save(path)
    data = {"folder": str(tmp_path / "data"), "size": [8, 8], "color": "grey"}
    only = {"models": {"line": {"layers": []}}, "seeds": 1, "baselines": []}
    declared = recipe.parse({"name": "dark", "data": data, **only}, origin="dark", folder=tmp_path)
    found = run(declared, out=tmp_path / "study", workers=1)
    answers = Answers(found.trained("line"))
    assert answers.trained.maximum == 16
    shown_ = base64.b64decode(answers.examples(2)[0]["image"].partition(",")[2])
    for adapt in ("always", "never"):
        pixels, _ = answers.read(shown_, "image/png", adapt, shown=True)
        assert pixels.max() == 16 and (pixels[0] == answers.profile.images).all((1, 2, 3)).any()
    with pytest.raises(DataError, match="expected pixels from 0 to 16, as in the study's picture"):
        answers.read(shown_, "image/png", "never")


def test_a_photograph_is_centred_and_details_are_told(server, digits):
    photo = png(page(digits.images[0, ..., 0] / 16))
    status, answer = server.post(photo, query="?details=true")
    assert status == 200 and answer["predictions"][0]["centred"]
    details = answer["details"]
    assert [each["seed"] for each in details["seeds"]] == [0, 1]
    assert len(details["nearest"]) == 6 and details["seen"].startswith("data:image/png;base64,")


def test_many_at_once_get_their_own_answers(server, result, digits):
    images = digits.images[:40]
    expected = result.predict(images, model="mlp", seed=0).classes
    found = [None] * 40

    def ask(place):
        found[place] = server.post(png(shown(images[place])))[1]["predictions"][0]["class"]

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_pages_health_metrics_and_schema(server):
    assert server.ask("GET", "/healthz")[2] == b'{"ready":true}'
    assert [server.ask("HEAD", path)[0] for path in ("/healthz", "/report")] == [200, 200]
    for path, kind in (("/try", "html"), ("/live", "html"), ("/try.js", "javascript")):
        status, headers, content = server.ask("GET", path)
        assert status == 200 and kind in headers["content-type"] and content
        assert headers["x-content-type-options"] == "nosniff"
        assert "'unsafe-inline'" not in headers["content-security-policy"]
        assert b"style=" not in content and b"onclick" not in content
        assert not re.search(rb'(src|href)="(?!/)', content), path
    tile = re.search(rb"^\.tile \{.*", server.ask("GET", "/style.css")[2], re.M)
    assert tile and b"background" not in tile[0]  # black beside an image looked like its padding
    status, headers, content = server.ask("GET", "/report")
    assert status == 200 and b"Two tiny networks" in content
    assert "sha256-" in headers["content-security-policy"]
    assert server.ask("GET", "/")[1]["location"] == "/try"
    schema = json.loads(server.ask("GET", "/openapi.json")[2])
    assert set(schema["paths"]) == {"/study", "/model", "/predict", "/healthz", "/metrics"}
    assert server.post(PNG)[0] == 200
    metrics = server.ask("GET", "/metrics")[2].decode()
    assert re.search(r'^bakeoff_images_total\{model="mlp"\} [1-9]', metrics, re.M)
    assert 'bakeoff_requests_total{method="GET",path="/healthz",status="200"}' in metrics
    assert re.search(r"^bakeoff_predict_seconds_count \d+$", metrics, re.M)
    assert server.ask("GET", "/docs")[0] == server.ask("GET", "/nothing")[0] == 404


# ── hostile requests ─────────────────────────────────────────────────────────────────────────

PNG = png(np.zeros((8, 8), np.uint8))
BODIES = [
    (b"", "image/png"),
    (b"nothing", "image/png"),
    (PNG[:40], "image/png"),
    (PNG[:-20], "image/png"),
    (PNG[:8] + b"\xff" * 500, "image/png"),
    (b"\x89PNG\r\n\x1a\n" + (2**31 - 1).to_bytes(4, "big") + b"IHDR", "image/png"),
    (b"\xff\xd8\xff\xe0" + b"\0" * 100, "image/jpeg"),
    (b"GIF89a" + b"\xff" * 30, "image/gif"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    (b"%PDF-1.7", "image/png"),
    (b"{", "application/json"),
    (b"{}", "application/json"),
    (b"[]", "application/json"),
    (b"null", "application/json"),
    (b'{"images": 3}', "application/json"),
    (b'{"images": []}', "application/json"),
    (b'{"images": [[1, 2], [3]]}', "application/json"),
    (b'{"images": "abc"}', "application/json"),
    (b'{"images": [[["a"]]]}', "application/json"),
    (b'{"images": [[[NaN]]]}', "application/json"),
    (b'{"images": [[[1e999]]]}', "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"images": ' + b"[" * 50_000, "application/json"),
    (b"\xff\xfe\x00", "application/json"),
    (b'{"images": ' + json.dumps(np.full((8, 8), 17).tolist()).encode() + b"}", "application/json"),
    (b'{"images": ' + json.dumps(np.full((8, 8), -1).tolist()).encode() + b"}", "application/json"),
    (b'{"images": ' + json.dumps(np.zeros((9, 9)).tolist()).encode() + b"}", "application/json"),
    (b'{"images": ' + json.dumps(np.zeros((1001, 8, 8), int).tolist()).encode() + b"}",
     "application/json"),
    (b"123", "application/octet-stream"),
    (b"", "application/octet-stream"),
    (b"\xff" * 64, "application/octet-stream"),
    (PNG, "text/plain"),
    (PNG, ""),
    (PNG, "multipart/form-data; boundary=x"),
    (PNG, "application/x-www-form-urlencoded"),
    (b"cos\nsystem\n(S'true'\ntR.", "application/octet-stream"),
]  # fmt: skip


@pytest.mark.parametrize("body", range(len(BODIES)))
def test_bodies_that_are_no_images_get_400_and_one_sentence(server, body):
    content, kind = BODIES[body]
    status, answer = server.post(content, kind)
    assert (status, list(answer)) == (400, ["error"])
    assert answer["error"] and "\n" not in answer["error"] and len(answer["error"]) < 300


def test_a_request_without_a_content_type_is_told_so(server):
    _, answer = server.post(PNG, "")
    assert answer["error"].endswith(", found no content type")
    _, answer = server.post(PNG, "text/plain")
    assert answer["error"].endswith(", found 'text/plain'")


def head(method="POST", path="/predict", host="localhost", **headers):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


LINES = [
    (head("GET", "/", host="evil.example"), "421"),
    (head("GET", "/", host="127.0.0.1.evil.example"), "421"),
    (head("GET", "/", host="localhost@evil.example"), "421"),
    (head("GET", "/", host=""), "421"),
    (head("GET", "/", host="[::1"), "421"),
    (head("GET", "/study", host="evil.example:80"), "421"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "4"),
    (b"GET / HTTP/1.1\r\n\r\n", "4"),
    (b"GET / HTTP/1.0\r\n\r\n", "421"),
    (head(Origin="http://evil.example", Content_Length="0"), "403"),
    (head(Origin="null", Content_Length="0"), "403"),
    (head(Origin="https://localhost.evil.example", Content_Length="0"), "403"),
    (head(Origin="http://[", Content_Length="0"), "403"),
    (head(Sec_Fetch_Site="cross-site", Content_Length="0"), "403"),
    (head(Sec_Fetch_Site="same-site", Content_Length="0"), "403"),
    (head(Content_Length="5000001"), "413"),
    (head(Content_Length="99999999999999999999"), "4"),
    (head(Content_Length="-1"), "4"),
    (head(Content_Length="1e3"), "4"),
    (head("DELETE", Content_Length="0"), "405"),
    (head("PUT", "/study", Content_Length="0"), "405"),
    (head("TRACE", "/"), "405"),
    (head("OPTIONS", "/predict"), "405"),
    (head("GET", "/../../../../etc/passwd"), "404"),
    (head("GET", "/%2e%2e/%2e%2e/etc/passwd"), "404"),
    (head("GET", "/study.json"), "404"),
    (head("GET", "/predict"), "405"),
    (head("POST", "/study", Content_Length="0"), "405"),
    (head("POST", "/predict?adapt=" + "a" * 5000, Content_Length="0"), "4"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),  # TLS
    (b"\0" * 200, "400"),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", "4"),
    (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", "4"),
]


@pytest.mark.parametrize("line", range(len(LINES)))
def test_requests_that_are_refused(server, line):
    content, wanted = LINES[line]
    status = server.raw(content)
    assert re.match(rf"HTTP/1\.1 {wanted}", status) or (wanted == "4" and not status), status


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?adapt=sometimes", "adapt: expected auto, always or never, found 'sometimes'"),
        ("?details=maybe", "details: expected true or false, found 'maybe'"),
        ("?" + "a=b&" * 21, "expected at most 20 fields after ?, found more"),
    ],
)
def test_a_query_that_says_something_else_is_refused_by_name(server, query, said):
    assert server.post(PNG, query=query) == (400, {"error": said})


@pytest.mark.parametrize(
    ("value", "part"),
    [("NaN", "found NaN in 64 places"), ("1e999", "found inf to inf"), ('"a"', "numbers of shape")],
)
def test_values_that_are_no_pixels_are_refused_by_name(server, value, part):
    row = "[" + ",".join([value] * 8) + "]"
    body = '{"images": [[' + ",".join([row] * 8) + "]]}"
    status, answer = server.post(body.encode(), "application/json")
    assert status == 400 and part in answer["error"]


def test_a_study_that_is_not_opened_yet_says_so(finished_study, tmp_path):
    place = tmp_path / "study"
    shutil.copytree(finished_study, place)
    shutil.rmtree(place / "openings")
    server = Server(place, said=tmp_path / "said")
    said = {"error": "no test set is opened yet, so there is no winner: look at /live"}
    try:
        status, _, content = server.ask("GET", "/healthz")
        assert (status, content) == (503, b'{"ready":false}')
        assert server.post(PNG) == (503, said)
        status, _, content = server.ask("GET", "/model")
        assert (status, json.loads(content)) == (503, said)
        assert server.ask("GET", "/")[1]["location"] == "/live"
    finally:
        server.stop()


def test_the_time_that_is_left_is_guessed_from_finished_trials():
    def trial(model, state, epochs, seconds=None):
        return {"model": model, "state": state, "epochs": epochs, "of": 4, "seconds": seconds}

    now = SimpleNamespace(outline=SimpleNamespace(models=("a", "b")))
    finished, *running = (
        trial("a", "finished", 4, 8.0),
        trial("a", "running", 1),
        trial("b", "running", 2),
    )
    assert _seconds_left([finished, *running], now) == (8 * 3 / 4 + 8 * 2 / 4) / 2
    assert _seconds_left(running, now) is None


def test_a_body_that_grows_is_cut_off_while_it_streams(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head(Transfer_Encoding="chunked", Content_Type="image/png"))
        chunk, sent = b"10000\r\n" + b"x" * 65536 + b"\r\n", 0
        try:
            while sent < 400:  # 26 MB
                connection.sendall(chunk)
                sent += 1
        except OSError:
            pass
        assert sent < 400
        answer = b""
        with contextlib.suppress(OSError):
            answer = connection.recv(4096)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 413")


def test_who_sends_too_much_reads_why(server):
    """A photograph of a telephone, sent by a program that reads when it has sent everything."""
    body = b"x" * 12_000_000
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head(Content_Length=str(len(body)), Content_Type="image/png") + body)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"expected a body of at most 5,000,000 bytes" in answer


def test_slow_clients_are_hung_up_on_and_disturb_nobody(server):
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=40) for _ in range(30)]
    for number, connection in enumerate(slow):
        start = head(Content_Length="100", Content_Type="image/png")
        connection.sendall(start[: 20 if number % 2 else None])  # no whole head; or no body
    began = time.monotonic()
    assert server.post(PNG)[0] == 200
    assert time.monotonic() - began < 5
    for connection in slow:
        try:
            answer = connection.recv(4096)
        except ConnectionError:
            answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408")
        connection.close()
    assert time.monotonic() - began < 20
    assert server.post(PNG)[0] == 200


def test_too_many_at_once_are_told_to_come_back():
    import asyncio

    from bakeoff.use.serve.guard import Guard, Limits

    async def application(scope, receive, send):
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    told = []

    async def request():
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"x")]}
        await guard(scope, None, send)
        return sent[0]["status"], dict(sent[0]["headers"])

    async def together():
        return await asyncio.gather(*(request() for _ in range(5)))

    guard = Guard(
        application, hosts=frozenset({"x"}), limits=Limits(active=3),
        on_answer=lambda *words: told.append(words),
    )  # fmt: skip
    answers = asyncio.run(together())
    assert sorted(status for status, _ in answers) == [200, 200, 200, 503, 503]
    assert all(h[b"retry-after"] == b"1" for status, h in answers if status == 503)
    assert len(told) == 5


# ── in a browser ─────────────────────────────────────────────────────────────────────────────

needs_browser = pytest.mark.skipif(browser.find() is None, reason="there is no Chromium")
ONE = [[(0.5, 0.15), (0.5, 0.4), (0.5, 0.6), (0.5, 0.85)]]
ZERO = [[(0.5 + 0.2 * np.cos(a), 0.5 + 0.33 * np.sin(a)) for a in np.linspace(0, 6.3, 30)]]
BOX = """(() => { const r = document.getElementById('canvas').getBoundingClientRect();
return [r.left, r.top, r.width, r.height]; })()"""
CLASS = "document.getElementById('class').textContent"


@needs_browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_drawing_dropping_pasting_touching_photographing_and_clicking(server, digits, width, dark):
    with browser.Browser(width=width, height=900, dark=dark) as window:
        window.open(f"{server.address}/try")
        window.wait("document.getElementById('model').textContent.length > 3")
        left, top, wide, high = window.evaluate(BOX)
        strokes = [[(left + x * wide, top + y * high) for x, y in stroke] for stroke in ZERO]
        window.draw(strokes)
        window.wait(f"{CLASS} !== '–' && !document.getElementById('more').hidden")
        assert window.evaluate("document.querySelectorAll('#bars meter').length") == 10
        assert window.evaluate("document.querySelectorAll('#nearest img').length") == 6
        window.evaluate("document.getElementById('clear').click()")
        assert window.evaluate(CLASS) == "–"
        for kind in ("drop", "paste"):
            window.evaluate("document.getElementById('clear').click()")
            window.evaluate(give(png(shown(digits.images[0])), kind))
            window.wait(f"{CLASS} !== '–'")
            assert window.evaluate("document.getElementById('canvas').hidden")
        window.evaluate("document.getElementById('clear').click()")
        kinds = "addEventListener('pointerdown', (e) => { window.pointer = e.pointerType; }, true)"
        window.evaluate(kinds)
        window.touch(strokes)
        window.wait(f"{CLASS} !== '–'")
        assert window.evaluate("window.pointer") == "touch"
        window.evaluate("document.getElementById('clear').click()")
        window.evaluate("document.getElementById('camera').click()")
        window.wait("document.getElementById('video').videoWidth > 0")
        window.wait("!document.getElementById('shoot').hidden")
        window.evaluate("document.getElementById('shoot').click()")
        window.wait(f"state.stream === null && {CLASS} !== '–'")  # the camera is off again
        window.evaluate("document.querySelector('#examples button').click()")
        window.wait("document.getElementById('seeds').children.length === 6")
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        assert window.console == []
        assert {re.sub(r"^(https?://[^/]*|data:|blob:).*", r"\1", u) for u in window.requests} <= {
            server.address, "data:", "blob:"
        }  # fmt: skip


def give(picture, kind):
    """Return JavaScript that drops or pastes a picture."""
    event = "DragEvent" if kind == "drop" else "ClipboardEvent"
    return f"""(() => {{ const data = new DataTransfer();
data.items.add(new File([Uint8Array.from({list(picture)})], "digit.png", {{type: "image/png"}}));
const given = {{dataTransfer: data, clipboardData: data, bubbles: true}};
document.dispatchEvent(new {event}("{kind}", given)); }})()"""


@needs_browser
def test_a_page_of_one_s_own_asks_the_endpoint(server, result, digits):

    class Proxy(http.server.BaseHTTPRequestHandler):
        """One web server for the page and, at /predict, for Bakeoff behind it."""

        def do_GET(self):
            self._answer(200, "text/html", (EXAMPLES / "ask_the_endpoint.html").read_bytes())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = {"Content-Type": self.headers["Content-Type"]}
            request = urllib.request.Request(f"{server.address}/predict", body, kind)
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
        found = result.predict(digits.images[:1], model="mlp", seed=0)
        assert told.startswith(f"{found.classes[0]}, {100 * found.probabilities[0].max():.0f}"[:5])
    finally:
        page.shutdown()
        page.server_close()


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


# A model of which an epoch takes a while and no processor.
SLOW = """
import time
import keras
from bakeoff.training.trainer import Trainer

epoch = Trainer.epoch


def slowly(trainer):
    time.sleep(0.1)
    return epoch(trainer)


def build(input_shape, n_classes):
    Trainer.epoch = slowly
    image = keras.Input(input_shape)
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, keras.layers.Dense(n_classes, activation="softmax")(flat))
"""


@needs_browser
def test_a_study_that_trains_is_watched(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    recipe = tmp_path / "long.yaml"
    recipe.write_text(
        "name: long\ndata: digits\nseeds: 2\nbaselines: []\ntraining: {epochs: 4000}\n"
        "models: {line: {python: slow.py:build}}\n", encoding="utf-8",
    )  # fmt: skip
    study = tmp_path / "study"
    words = "bakeoff run long.yaml --out study --workers 1"
    run = forked.begin(words, folder=tmp_path, output=tmp_path / "printed")
    try:
        deadline = time.monotonic() + 60
        while not (study / "study.json").exists():
            assert time.monotonic() < deadline and run.exitcode is None
            time.sleep(0.2)
        server = Server(study, said=tmp_path / "said")
        try:
            assert server.ask("GET", "/healthz")[0] == 503
            assert server.post(PNG) == (
                503, {"error": "no test set is opened yet, so there is no winner: look at /live"}
            )  # fmt: skip
            with browser.Browser() as window:
                window.open(f"{server.address}/")
                window.wait("document.querySelectorAll('#trials tr').length === 2", seconds=60)
                window.wait("document.querySelectorAll('polyline.going').length > 0", seconds=60)
                assert window.evaluate("document.getElementById('to-try').hidden")
                axis = "[...document.querySelectorAll('svg text')].map((t) => t.textContent)"
                assert window.evaluate(axis)[3:] == ["0", "epoch 3999"]  # the first epoch is 0
                assert window.console == []
        finally:
            server.stop()
    finally:
        run.terminate()
        run.join(30)
        assert run.exitcode is not None


EXTENDED = """(() => {
const curves = {accuracy: [null, null], loss: [null, null], fit: [0.5, 0.6]};
const trial = {model: "m", seed: 0, state: "finished", epochs: 2, of: 2, reached: 2, nodes: [],
  accuracy: null, curves};
draw({title: "t", opened: true, finished: 1, declared: 2, running: [], seconds_left: null,
  command: "c", measured: "training", unit: "seed", trials: [trial]});
const texts = ["#state", "#curves", "#measured", "#trials td:last-child"];
return [...texts.map((each) => document.querySelector(each).textContent),
  document.querySelectorAll("polyline.curve").length];
})()"""


@needs_browser
def test_a_study_without_validation_that_is_extended_has_curves_and_is_not_called_done(server):
    with browser.Browser() as window:
        window.open(f"{server.address}/live")
        window.wait("document.querySelectorAll('#trials tr').length > 0")
        assert window.evaluate(EXTENDED) == [
            "1 of 2 trials done, the test set is open",
            "Training accuracy, epoch by epoch; one line a seed",
            "training accuracy",
            "60.0 %",
            1,
        ]
        assert window.console == []


LONG = """(() => {
get("more").hidden = false;
get("nearest").replaceChildren(figure({image: "data:,", class: "a long name ".repeat(20)}, false));
const caption = document.querySelector("#nearest figcaption");
return [caption.clientHeight, caption.title.length];
})()"""


@needs_browser
def test_a_class_s_long_name_takes_three_lines_below_an_image(server):
    with browser.Browser() as window:
        window.open(f"{server.address}/try")
        window.wait("document.getElementById('model').textContent.length > 3")
        height, letters = window.evaluate(LONG)
        assert (height < 80, letters) == (True, 240)


# ── a study that is opened again ─────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("its_jobs_in_process")
def test_what_is_opened_while_it_is_served_is_served(tiny_study, tmp_path):
    """The old report and the old network were served until the server was started again."""
    server = Server(tiny_study, "--model", "mlp", said=tmp_path / "said")
    try:
        assert b"test set opened once" in server.ask("GET", "/report")[2]
        run(recipe.load(tiny_study.parent / "tiny.yaml"), out=tiny_study, seeds=3)
        time.sleep(1.1)
        status, _, content = server.ask("GET", "/report")
        assert status == 200 and b"test set opened 2 times" in content
        expected = compare([tiny_study]).trained("mlp").title
        assert json.loads(server.ask("GET", "/model")[2])["model"] == expected
        shutil.rmtree(tiny_study / "openings")
        time.sleep(1.1)
        assert server.ask("GET", "/healthz")[0] == 200  # what is loaded is served on
    finally:
        assert server.stop() == ""
