"""A headless Chromium for tests, spoken to over a pipe: no port, no driver, no other package.

`find()` says where it is; a test that needs it skips with a reason where there is none.
"""

import atexit
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
    # a camera that shows a turning disc, and that no page asks for in vain
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)


def find() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class _Chromium:
    """The process, which answers one message after the other; each page has a session of its own.

    note : is told of everything that is no answer
    """

    def __init__(self) -> None:
        self.note: Callable[[dict[str, Any]], None] = lambda event: None
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on descriptor 4.
        shell = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", find() or "chromium", *FLAGS,
             f"--user-data-dir={self._profile.name}"],
            pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._count, self._rest = 0, b""

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def send(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]
            self.note(answer)

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], 30)
            assert ready, "the browser did not answer for 30 s"
            block = os.read(self._read, 1 << 16)
            assert block, "the browser ended"
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)


_started: list[_Chromium] = []


def _chromium() -> _Chromium:
    """Return the one process of this one."""
    if not _started:
        _started.append(_Chromium())
    return _started[0]


@atexit.register
def close() -> None:
    """End the process, if there is one."""
    while _started:
        _started.pop().close()


class Browser:
    """One page: `open` it, `evaluate` JavaScript in it; what it logs and asks for is kept.

    It shares nothing with other pages but the process, whose start takes a second.
    """

    def __init__(self, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        self.console: list[str] = []
        self.requests: list[str] = []
        self._session: str | None = None
        self._chromium = _chromium()
        self._chromium.note = self._note
        self._context = self._send("Target.createBrowserContext")["browserContextId"]
        place = {"url": "about:blank", "browserContextId": self._context}
        target = self._send("Target.createTarget", **place, width=width, height=height)
        attached = self._send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._send("Emulation.setEmulatedMedia", features=[scheme])
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                   deviceScaleFactor=1, mobile=width < 600)  # fmt: skip

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:  # it may not answer any more
            close()
            return
        self._session = None
        self._send("Target.disposeBrowserContext", browserContextId=self._context)

    def open(self, path: Path | str) -> None:
        self._send("Page.navigate", url=path if isinstance(path, str) else path.resolve().as_uri())
        deadline = time.monotonic() + 20
        while self.evaluate("document.readyState") != "complete":
            assert time.monotonic() < deadline, "the page did not finish loading in 20 s"
            time.sleep(0.01)

    def wait(self, condition: str, *, seconds: float = 30) -> None:
        """Wait until some JavaScript is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, (
                f"in {seconds} s it did not become true: {condition}"
            )
            time.sleep(0.05)

    def draw(self, strokes: list[list[tuple[float, float]]]) -> None:
        """Draw with the mouse: a stroke is a list of places in the window."""
        for stroke in strokes:
            for number, (x, y) in enumerate(stroke):
                kind = "mouseMoved" if number else "mousePressed"
                self._mouse(kind, x, y)
            self._mouse("mouseReleased", *stroke[-1])

    def touch(self, strokes: list[list[tuple[float, float]]]) -> None:
        """Draw with a finger."""
        self._send("Emulation.setTouchEmulationEnabled", enabled=True)
        for stroke in strokes:
            for number, (x, y) in enumerate(stroke):
                kind = "touchMove" if number else "touchStart"
                self._send("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
            self._send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def _mouse(self, kind: str, x: float, y: float) -> None:
        pressed = {"button": "left", "buttons": 1, "clickCount": 1}
        self._send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **pressed)

    def evaluate(self, script: str) -> Any:
        answer = self._send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, selector: str | None = None, *, whole: bool = False) -> bytes:
        """Return what the window shows, one element, or the whole page, as PNG."""
        options = {}
        if selector or whole:
            box = (
                f"document.querySelector({json.dumps(selector or 'html')}).getBoundingClientRect()"
            )
            sides = self.evaluate(
                f"(b => [b.x + scrollX, b.y + scrollY, b.width, b.height])({box})"
            )
            clip = dict(zip(("x", "y", "width", "height"), sides, strict=True))
            options = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True}
        answer = self._send("Page.captureScreenshot", format="png", **options)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        answer = self._send("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(answer["data"])

    def press(self, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "char", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "char" else {}
            self._send("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                       windowsVirtualKeyCode=code, **text)  # fmt: skip

    def _send(self, method: str, **parameters: Any) -> Any:
        return self._chromium.send(method, parameters, self._session)

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("sessionId") != self._session:
            return
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event.get("method") == "Log.entryAdded":
            self.console.append(parameters["entry"]["text"])
        elif event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.console.append(json.dumps(parameters))
