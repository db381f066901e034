"""What every request passes first: hosts, origins, sizes, times, how many at once; and headers.

A page elsewhere cannot use this server through somebody's browser: requests for other hosts are
refused (DNS rebinding), and so are POSTs that another origin's page sends.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(self), microphone=(), geolocation=()",
    b"cache-control": b"no-store",
}
_TOO_LARGE = 413
_DISCARDED, _DISCARDING = 3, 1.0  # bodies of the largest size, and seconds
_CHECKED = frozenset((b"host", b"origin", b"sec-fetch-site", b"content-length"))


@dataclass(frozen=True)
class Limits:
    """What one request may cost.

    body : bytes; seconds : until a body has arrived; active : requests at once
    """

    body: int = 5_000_000
    seconds: float = 10.0
    active: int = 64


class Refused(Exception):
    """A request that is answered with a status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Guard:
    """An ASGI application in front of another.

    hosts : names, without ports, under which this server may be asked
    on_answer : called with method, path, status and seconds of every answer
    """

    def __init__(
        self,
        app: Any,
        *,
        hosts: frozenset[str],
        limits: Limits,
        on_answer: Callable[[str, str, int, float], None],
    ) -> None:
        self._app, self._hosts, self._limits = app, hosts, limits
        self._on_answer = on_answer
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        loop = asyncio.get_running_loop()
        started, begun = loop.time(), False

        async def guarded_send(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*(HEADERS | dict(message.get("headers", []))).items()]
                seconds = loop.time() - started
                self._on_answer(scope["method"], scope["path"], message["status"], seconds)
            await send(message)

        try:
            self._check(scope)
            self._active += 1
            try:
                await self._app(scope, self._bounded(receive, started), guarded_send)
            finally:
                self._active -= 1
        except Refused as refused:
            if not begun:
                if refused.status == _TOO_LARGE:
                    await self._discard(receive)
                await _refuse(guarded_send, refused)

    def _check(self, scope: Scope) -> None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            if name in _CHECKED:
                headers.setdefault(name, []).append(value)
        hosts = headers.get(b"host", [])
        if len(hosts) != 1 or _name(hosts[0]) not in self._hosts:
            raise Refused(421, "this server does not answer for that host")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            raise Refused(405, "expected GET, HEAD or POST")
        if scope["method"] == "POST":
            origin = headers.get(b"origin", [b""])[0]
            site = headers.get(b"sec-fetch-site", [b"none"])[0]
            foreign = origin and _address(origin) != hosts[0].decode("latin-1")
            if foreign or site not in (b"none", b"same-origin"):
                raise Refused(403, "pages of other origins may not post here")
        length = headers.get(b"content-length", [b"0"])[0]
        if not length.isdigit() or int(length[:20]) > self._limits.body:
            raise _too_large(self._limits.body)
        if self._active >= self._limits.active:
            raise Refused(503, "busy: try again in a second")

    def _bounded(self, receive: Receive, started: float) -> Receive:
        """Return a `receive` that gives up on bodies that are too large or too slow."""
        taken = 0

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal taken
            try:
                async with asyncio.timeout_at(started + self._limits.seconds):
                    message = await receive()
            except TimeoutError:
                raise Refused(408, "the request did not arrive in time") from None
            taken += len(message.get("body", b""))
            if taken > self._limits.body:
                raise _too_large(self._limits.body)
            return message

        return bounded

    async def _discard(self, receive: Receive) -> None:
        """Read for a moment what is still being sent: a client that is cut off reads no answer."""
        left = _DISCARDED * self._limits.body
        with suppress(TimeoutError):
            async with asyncio.timeout(_DISCARDING):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body"):
                        return


def _too_large(most: int) -> Refused:
    return Refused(_TOO_LARGE, f"expected a body of at most {most:,} bytes")


@lru_cache(maxsize=16)  # a load asks for one
def _name(host: bytes) -> str:
    """Return a Host header's name without its port; "" where it is none."""
    try:
        return (urlsplit(f"//{host.decode('ascii')}").hostname or "").lower()
    except ValueError:
        return ""


def _address(origin: bytes) -> str:
    """Return an Origin header's host and port; "" where it is none."""
    try:
        return urlsplit(origin.decode("latin-1")).netloc
    except ValueError:
        return ""


async def _refuse(send: Send, refused: Refused) -> None:
    body = json.dumps({"error": refused.sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if refused.status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
