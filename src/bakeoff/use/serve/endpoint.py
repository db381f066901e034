"""`POST /predict` as a bare ASGI application: what every request of a load passes, and no more.

FastAPI's routing, validation and middleware take longer than a small network does.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from bakeoff.errors import BakeoffError, UsageError
from bakeoff.use.serve.answers import Answers
from bakeoff.use.serve.batches import Batches
from bakeoff.use.serve.guard import Receive, Scope, Send

PATH = "/predict"
_INLINE = 100_000  # bytes of a picture that is decoded without a thread of its own
_FIELDS = 20  # of a query
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
NOT_YET = "no test set is opened yet, so there is no winner: look at /live"

_IMAGES = {
    "type": "object",
    "required": ["images"],
    "properties": {"images": {"type": "array", "items": {"type": "array"}}},
}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_ERROR = {
    "application/json": {
        "schema": {"type": "object", "properties": {"error": {"type": "string"}}}
    }
}  # fmt: skip
_PREDICTION = {
    "type": "object",
    "properties": {
        "class": {"type": "string"},
        "probability": {"type": "number"},
        "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
        "unlike_training": {"type": "boolean", "nullable": True},
        "centred": {"type": "boolean"},
    },
}
DESCRIPTION: dict[str, Any] = {  # of this path in the OpenAPI document
    "summary": "Predict a picture, or a batch of arrays.",
    "parameters": [
        {
            "name": "adapt",
            "in": "query",
            "description": "auto, always or never: centre a figure",
            "schema": {"type": "string", "enum": ["auto", "always", "never"], "default": "auto"},
        },
        {
            "name": "details",
            "in": "query",
            "description": "what the network saw, every seed",
            "schema": {"type": "boolean", "default": False},
        },
        {
            "name": "shown",
            "in": "query",
            "description": "white is 255 in the picture, whatever it is in the study's files",
            "schema": {"type": "boolean", "default": False},
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "image/png": _BYTES,
            "image/jpeg": _BYTES,
            "application/json": {"schema": _IMAGES},
            "application/octet-stream": _BYTES,
        },
    },
    "responses": {
        "200": {
            "description": "One prediction an image.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "model": {"type": "string"},
                            "predictions": {"type": "array", "items": _PREDICTION},
                        },
                    }
                }
            },
        },
        "400": {"description": "No images in it.", "content": _ERROR},
        "503": {"description": "There is no winner yet.", "content": _ERROR},
    },
}


Loaded = tuple[Answers, Batches, Batches]  # the answers, the network's batches, every seed's


class PredictEndpoint:
    """Answers predictions.

    load : gives what answers need; None until the test set is opened
    count : called with the number of images of every answer
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[Loaded | None]],
        count: Callable[[int], None],
    ) -> None:
        self._load, self._count = load, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a body that is refused on its way raises `Refused`."""
        status = 200
        try:
            if scope["method"] != "POST":
                status, text = 405, _json({"error": "expected POST"})
            elif (loaded := await self._load()) is None:
                status, text = 503, _json({"error": NOT_YET})
            else:
                text = await self._answer(loaded, scope, receive)
        except BakeoffError as error:
            status, text = 400, _json({"error": str(error)})
        except _HungUp:
            return
        body = text.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, loaded: Loaded, scope: Scope, receive: Receive) -> str:
        answers, batches, each_seed = loaded
        adapt, details, shown = _asked(scope["query_string"])
        content = await _body(receive)
        kind = next((v for name, v in scope["headers"] if name == b"content-type"), b"")
        request = content, kind.decode("latin-1"), adapt
        if len(content) <= _INLINE:
            images, centred = answers.read(*request, shown=shown)
        else:
            images, centred = await asyncio.to_thread(answers.read, *request, shown=shown)
        labels, probabilities, unlike = await batches(images)
        if adapt == "auto" and answers.centres and unlike[0] and kind.startswith(b"image/"):
            figure = await asyncio.to_thread(answers.centred, content, shown=shown)
            if figure is not None:
                images, centred = figure, True
                labels, probabilities, unlike = await batches(images)
        text = answers.text(labels, probabilities, unlike, centred=centred)
        if details:
            ((seeds,),) = await each_seed(images[:1])
            more = await asyncio.to_thread(answers.details, images[0], seeds)
            text = f'{text[:-1]},"details":{_json(more)}}}'
        self._count(len(images))
        return text


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


class _HungUp(Exception):
    """The client has gone."""


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _HungUp
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _asked(query: bytes) -> tuple[str, bool, bool]:
    """Return what a query string says: adapt, details, shown."""
    if not query:
        return "auto", False, False
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise UsageError(f"expected at most {_FIELDS} fields after ?, found more") from None
    words = dict(pairs)
    return words.get("adapt", "auto"), _flag(words, "details"), _flag(words, "shown")


def _flag(words: dict[str, str], name: str) -> bool:
    said = words.get(name, "false").lower()
    if said not in _FLAGS:
        raise UsageError(f"{name}: expected true or false, found {said[:20]!r}")
    return _FLAGS[said]
