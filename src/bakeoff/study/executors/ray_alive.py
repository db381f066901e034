"""Whether a Ray cluster is there: before Ray is asked to connect, and then all the time.

Sockets are asked, and not Ray. It waits for minutes where something listens that is not Ray's; and
where the cluster has gone, it ends this process itself, after a while and without an exception.
"""

import os
import socket
import time
from contextlib import suppress

from bakeoff.errors import BakeoffError, StudyError

REACH_SECONDS = 5.0
ANSWER_SECONDS = 20.0
PATIENCE_SECONDS = 10.0  # with a head elsewhere: Ray needs 35 to let go, and ends all after 60
_PAUSE_SECONDS = 1.0  # between two looks
_ASK = "/ray.rpc.NodeInfoGcsService/GetClusterId"  # takes nothing
_NOT_RAYS = ("UNIMPLEMENTED", "UNAVAILABLE", "DEADLINE_EXCEEDED")  # answers of other servers


def require_listening(address: str, name: str) -> None:
    """Raise StudyError if nobody listens at HOST:PORT: Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = str(error.strerror or error).lower() if isinstance(error, OSError) else "no port"
        raise StudyError(
            f"{name}: expected a Ray cluster there, found none ({reason}): start one with "
            "`ray start --head`, or see whether the address is right"
        ) from error


def require_head(address: str, name: str) -> None:
    """Raise StudyError if what listens at HOST:PORT is no head of a Ray cluster.

    Any refusal but that of an unknown question is Ray's: a cluster may want a token. With TLS, for
    which Ray has settings of its own, nothing is asked.
    """
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return
    import grpc

    other = {getattr(grpc.StatusCode, each) for each in _NOT_RAYS}
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            channel.unary_unary(_ASK)(b"", timeout=ANSWER_SECONDS)
        except grpc.RpcError as error:
            if error.code() in other:
                raise StudyError(
                    f"{name}: expected the head of a Ray cluster there, found something else that "
                    "listens: give the address that `ray start --head` prints, or that of Ray's "
                    "client as --on ray://HOST:PORT"
                ) from error


class Vitals:
    """The two processes of Ray that this one cannot live without.

    Parameters
    ----------
    raylet : the socket's path of the one on this machine, or None
    head : HOST:PORT of the one that knows all nodes, or None
    patience : seconds that the head may be away
    """

    def __init__(self, raylet: str | None, head: str | None, *, patience: float) -> None:
        self._head, self._patience = head, patience
        self._raylet = None if raylet is None else _joined(raylet)
        self._looked = float("-inf")

    def require(self, name: str) -> None:
        """Raise BakeoffError if the cluster has gone; wait for its head as long as patience says.

        Looks once a second, however often it is called.
        """
        if time.monotonic() - self._looked < _PAUSE_SECONDS:
            return
        end = time.monotonic() + self._patience
        while missing := self.missing():
            if "head" not in missing or time.monotonic() >= end:
                raise gone(name, missing)
            time.sleep(_PAUSE_SECONDS / 4)
        self._looked = time.monotonic()

    def missing(self) -> str:
        """Return what has gone, or "" where all is there."""
        if self._raylet is not None and _ended(self._raylet):
            return "its process on this machine, the raylet, has gone"
        if self._head is not None:
            host, _, port = self._head.rpartition(":")
            try:
                socket.create_connection((host, int(port)), _PAUSE_SECONDS).close()
            except OSError:
                return f"its head at {self._head} has gone"
        return ""

    def close(self) -> None:
        """Hang up."""
        if self._raylet is not None:
            self._raylet.close()


def gone(name: str, missing: str) -> BakeoffError:
    """Return what to say of a cluster that has gone."""
    return BakeoffError(
        f"{name}: expected a Ray cluster that stays until the end, found that {missing}: what is "
        "finished is kept, and the same command goes on"
        + ("" if name == "--on ray" else " as soon as there is a cluster again")
    )


def _joined(path: str) -> socket.socket | None:
    """Return a connection to a socket, which is kept: Ray writes down each new one."""
    made = socket.socket(socket.AF_UNIX)
    with suppress(OSError):
        made.connect(path)
        made.setblocking(False)
        return made
    made.close()
    return None


def _ended(connection: socket.socket) -> bool:
    """Return whether the other side has hung up."""
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
