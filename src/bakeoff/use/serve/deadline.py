"""uvicorn's HTTP protocol with a deadline: a client that dribbles a request is hung up on.

uvicorn times connections between requests, not while one arrives.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SECONDS = 15.0


class DeadlineProtocol(HttpToolsProtocol):
    """Closes a connection whose request has not arrived whole in SECONDS."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes; the time runs from the first ones of a request."""
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._arm()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.more_body:
            self._disarm()

    def _arm(self) -> None:
        self._timer = self.loop.call_later(SECONDS, self._expire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        whole = self.cycle is not None and not self.cycle.more_body
        if not whole and not self.transport.is_closing():
            self.transport.abort()
