"""`bakeoff serve` in a process of its own, and requests to it."""

import json
import re
import socket
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

from tests.helpers import forked


class Server:
    """A served study; `ask` sends one request.

    said : a file for what it says; one beside it has what it says on standard error
    """

    def __init__(self, study: Path, *options: str, said: Path) -> None:
        self._errors = forked.errors_of(said)
        words = ["serve", str(study), "--port", "0", *options]
        self._process = forked.start(_serve, (words, self._errors), output=said)
        line = self._first_line()
        found = re.fullmatch(r"http://localhost:(\d+)/ until you press Ctrl-C\n", line)
        if found is None:
            self._process.kill()  # else whoever started it waits for its end
            raise AssertionError(line)
        self.port = int(found[1])
        self.address = f"http://localhost:{self.port}"

    def _first_line(self) -> str:
        deadline = time.monotonic() + 60
        while True:
            said = self._said()
            if "\n" in said or self._process.exitcode is not None or time.monotonic() > deadline:
                return said
            time.sleep(0.02)

    def _said(self) -> str:
        return self._errors.read_text(encoding="utf-8") if self._errors.exists() else ""

    def stop(self) -> str:
        """End it; return what it has said on standard error since it was ready."""
        self._process.terminate()
        self._process.join(20)
        assert self._process.exitcode is not None
        return self._said().partition("\n")[2]

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, HTTPMessage, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def post(self, body: Any, kind: str = "image/png", query: str = "") -> tuple[int, Any]:
        status, _, content = self.ask("POST", f"/predict{query}", body, {"Content-Type": kind})
        return status, json.loads(content)

    def raw(self, content: bytes, *, seconds: float = 30) -> str:
        """Send bytes as they are; return the status line of the answer, "" where it hung up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            try:
                connection.sendall(content)
                return connection.recv(4096).split(b"\r\n")[0].decode("latin-1")
            except (ConnectionError, BrokenPipeError):
                return ""


def _serve(words: list[str], errors: Path) -> None:
    """Serve, but wait for slow clients 2 seconds, not 10 and 15."""
    from bakeoff.use.serve import deadline, guard

    deadline.SECONDS = 2.0
    guard.Limits.__init__.__defaults__ = (5_000_000, 1.5, 64)
    forked.command_line(words, errors=errors)
