"""Whether a Ray cluster is there: servers that are none, and processes that hang up.

Oracle: sockets and gRPC servers of this process. Cost: 1 s.
Run: pytest tests/study/executors/test_ray_alive.py
"""

import re
import socket
import threading
import time
from concurrent import futures

import pytest

from bakeoff.errors import BakeoffError, StudyError
from bakeoff.study.executors import ray_alive
from bakeoff.study.executors.ray_alive import Vitals, require_head

OTHER = (
    "RAY_ADDRESS=a:1: expected the head of a Ray cluster there, found something else that listens: "
    "give the address that `ray start --head` prints, or that of Ray's client as --on "
    "ray://HOST:PORT"
)


@pytest.fixture
def head():
    """A server that listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def address(server):
    return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def serve():
    """Give the address of a gRPC server, which answers with a status the question that is asked."""
    grpc = pytest.importorskip("grpc")
    made = []

    def begin(status):
        def answer(question, context):
            if status != "OK":
                context.abort(getattr(grpc.StatusCode, status), "")
            return b""

        handler = grpc.unary_unary_rpc_method_handler(answer)
        service, method = ray_alive._ASK.strip("/").split("/")
        server = grpc.server(futures.ThreadPoolExecutor(1))
        named = service if status else "another"
        handlers = grpc.method_handlers_generic_handler(named, {method: handler})
        server.add_generic_rpc_handlers([handlers])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        made.append(server)
        return f"127.0.0.1:{port}"

    yield begin
    for server in made:
        server.stop(0)


def test_one_that_listens_and_says_nothing_is_not_waited_for(head, monkeypatch):
    """Ray was silent for minutes."""
    pytest.importorskip("grpc")
    monkeypatch.setattr(ray_alive, "ANSWER_SECONDS", 0.3)
    with pytest.raises(StudyError, match=f"^{re.escape(OTHER)}$"):
        require_head(address(head), "RAY_ADDRESS=a:1")


def test_another_server_is_no_head(head, serve):
    with pytest.raises(StudyError, match=f"^{re.escape(OTHER)}$"):
        require_head(serve(""), "RAY_ADDRESS=a:1")

    def page():
        with head.accept()[0] as connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=page, daemon=True).start()
    with pytest.raises(StudyError, match=f"^{re.escape(OTHER)}$"):
        require_head(address(head), "RAY_ADDRESS=a:1")


@pytest.mark.parametrize("status", ["OK", "UNAUTHENTICATED"])
def test_a_head_is_one_also_where_it_wants_a_token(serve, status):
    require_head(serve(status), "RAY_ADDRESS=a:1")


def test_with_tls_nothing_is_asked(head, monkeypatch):
    monkeypatch.setenv("RAY_USE_TLS", "1")
    require_head(address(head), "RAY_ADDRESS=a:1")


def test_a_raylet_that_has_gone_is_told_at_once(head, tmp_path):
    with socket.socket(socket.AF_UNIX) as raylet:
        raylet.bind(str(tmp_path / "s"))
        raylet.listen()
        vitals = Vitals(str(tmp_path / "s"), address(head), patience=60.0)
        connection, _ = raylet.accept()
        assert vitals.missing() == ""
        vitals.require("--on ray")
        connection.close()
    vitals.require("--on ray")  # has just looked
    vitals._looked = float("-inf")
    text = (
        "--on ray: expected a Ray cluster that stays until the end, found that its process on this "
        "machine, the raylet, has gone: what is finished is kept, and the same command goes on"
    )
    with pytest.raises(BakeoffError, match=f"^{re.escape(text)}$") as caught:
        vitals.require("--on ray")
    assert caught.value.exit_code == 1
    vitals.close()


def test_a_head_that_has_gone_is_waited_for_a_while(head):
    where = address(head)
    head.close()
    text = (
        "RAY_ADDRESS=a:1: expected a Ray cluster that stays until the end, found that its head at "
        f"{where} has gone: what is finished is kept, and the same command goes on as soon as "
        "there is a cluster again"
    )
    with pytest.raises(BakeoffError, match=f"^{re.escape(text)}$"):
        Vitals(None, where, patience=0.0).require("RAY_ADDRESS=a:1")

    def again():
        time.sleep(0.2)
        with socket.create_server(("127.0.0.1", int(where.rpartition(":")[2]))) as server:
            server.accept()[0].close()

    back = threading.Thread(target=again)
    back.start()
    Vitals(None, where, patience=60.0).require("RAY_ADDRESS=a:1")
    back.join()


def test_with_rays_client_there_is_nothing_to_look_at():
    Vitals(None, None, patience=0.0).require("--on ray://a:1")
