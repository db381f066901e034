"""The web application of `bakeoff serve`: pages, the prediction endpoint, health and metrics."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from bakeoff import report
from bakeoff.analysis.compare import compare
from bakeoff.errors import BakeoffError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.collect_images import illustrated
from bakeoff.study.winner.trained_model import trained_model
from bakeoff.use.serve.answers import Answers
from bakeoff.use.serve.batches import Batches
from bakeoff.use.serve.counters import Counters
from bakeoff.use.serve.endpoint import DESCRIPTION, NOT_YET, PATH, Loaded, PredictEndpoint
from bakeoff.use.serve.guard import Guard, Limits, Receive, Refused, Scope, Send
from bakeoff.use.serve.live import Live, page_file
from bakeoff.use.serve.report_page import policy_of

EXAMPLES = 30
_LOOK_SECONDS = 1.0  # between looks at whether the test set was opened again
_READ = ["GET", "HEAD"]
_TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css"}


@dataclass(frozen=True)
class _Opened:
    """What is loaded of an opening: network, its batches and those of every seed, report."""

    opening: Path
    answers: Answers
    batches: tuple[Batches, Batches]
    report: bytes


class Served:
    """A study that is served: while it trains, and from then on with its network."""

    def __init__(self, folder: StudyFolder, *, model: str | None, seed: int | None) -> None:
        self.folder, self._model, self._seed = folder, model, seed
        self.live = Live(folder)
        self.counters = Counters()
        self._opened: list[_Opened] = []  # the newest last; requests may be at an earlier one
        self._refused: tuple[Path, BakeoffError] | None = None
        self._looked = -inf
        self._loading = asyncio.Lock()

    @property
    def opened(self) -> _Opened | None:
        """What is loaded of the newest opening."""
        return self._opened[-1] if self._opened else None

    async def load(self) -> _Opened | None:
        """Load network and report once the test set is open, and when it was opened again.

        Returns None before. Raises BakeoffError where an opening cannot be served.
        """
        recent = self._loading.locked() or time.monotonic() - self._looked < _LOOK_SECONDS
        if self._opened and self._refused is None and recent:
            return self.opened
        async with self._loading:
            self._looked = time.monotonic()
            openings = self.folder.openings()
            if openings and (not self._opened or openings[-1] != self._opened[-1].opening):
                await asyncio.to_thread(self._load, openings[-1])
        return self.opened

    def _load(self, opening: Path) -> None:
        if self._refused is not None and self._refused[0] == opening:
            raise self._refused[1]
        try:
            trained = trained_model(self.folder, model=self._model, seed=self._seed)
            answers = Answers(trained)
            inline = answers.warm_up()
            comparison = illustrated(compare([self.folder]), self.folder)
            page = report.html(comparison).encode()
        except BakeoffError as error:
            self._refused = opening, error
            raise
        batches = Batches(answers.predict, inline=inline), Batches(answers.predict_each)
        self._opened.append(_Opened(opening, answers, batches, page))
        self._refused = None

    async def predictor(self) -> Loaded | None:
        """Return what predictions are made with; None before the test set is open."""
        opened = await self.load()
        return None if opened is None else (opened.answers, *opened.batches)

    def count(self, images: int) -> None:
        """Count predicted images."""
        self.counters.images += images

    def close(self) -> None:
        """Let the threads end."""
        for opened in self._opened:
            for batches in opened.batches:
                batches.close()


class _App(FastAPI):
    """Describes /predict too, which is answered beside it."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        document = super().openapi()
        document["paths"].setdefault(PATH, {"post": DESCRIPTION})
        return document


def application(served: Served, *, hosts: frozenset[str], limits: Limits | None = None) -> Guard:
    """Return the ASGI application that serves a study.

    hosts : names under which the server may be asked
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        served.close()

    app = _App(
        title="Bakeoff",
        description="A study's winner, asked over HTTP.",
        docs_url=None,  # its pages would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    _pages(app, served)
    _endpoints(app, served)

    @app.exception_handler(BakeoffError)
    async def refused(_: Request, error: BakeoffError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(Refused)
    async def cut_off(_: Request, refused: Refused) -> JSONResponse:
        headers = {"connection": "close"}  # what is left of the body is not read
        return JSONResponse({"error": refused.sentence}, refused.status, headers)

    @app.exception_handler(HTTPException)
    async def unknown(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": str(error.detail)}, error.status_code)

    predict = PredictEndpoint(served.predictor, served.count)

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        shortcut = scope["type"] == "http" and scope["path"] == PATH
        await (predict if shortcut else app)(scope, receive, send)

    limits = limits or Limits()
    return Guard(either, hosts=hosts, limits=limits, on_answer=served.counters.answered)


def _pages(app: FastAPI, served: Served) -> None:
    @app.api_route("/", include_in_schema=False, methods=_READ)
    async def start() -> RedirectResponse:
        return RedirectResponse("/try" if served.folder.openings() else "/live", 307)

    for name in ("live.html", "try.html", "live.js", "try.js", "style.css"):
        _file(app, name)

    @app.api_route("/report", include_in_schema=False, methods=_READ)
    async def report_page() -> Response:
        opened = await served.load()
        if opened is None:
            return RedirectResponse("/live", 307)
        policy = {"content-security-policy": policy_of(opened.report)}
        return Response(opened.report, media_type=_TYPES["html"], headers=policy)

    @app.api_route("/favicon.ico", include_in_schema=False, methods=_READ)
    async def icon() -> Response:
        return Response(status_code=204)


def _file(app: FastAPI, name: str) -> None:
    content, ending = page_file(name), name.rpartition(".")[2]
    path = f"/{name.removesuffix('.html')}"

    @app.api_route(path, include_in_schema=False, methods=_READ)
    async def file() -> Response:
        return Response(content, media_type=_TYPES[ending])


def _endpoints(app: FastAPI, served: Served) -> None:
    @app.get("/study")
    @app.head("/study", include_in_schema=False)
    async def study() -> JSONResponse:
        """Return how far the study is: trials, curves, what is running, seconds left."""
        return JSONResponse(await asyncio.to_thread(served.live.picture))

    @app.get("/model")
    @app.head("/model", include_in_schema=False)
    async def model() -> JSONResponse:
        """Return what is served: classes, the size of an image, examples to try."""
        opened = await served.load()
        if opened is None:
            return _not_yet()
        answers = opened.answers
        height, width, channels = answers.trained.input_shape
        return JSONResponse(
            {
                "model": answers.trained.title,
                "reason": answers.trained.reason,
                "class_names": list(answers.trained.class_names),
                "height": height,
                "width": width,
                "channels": channels,
                "maximum": answers.trained.maximum,
                "draws": answers.centres,
                "examples": await asyncio.to_thread(answers.examples, EXAMPLES),
            }
        )

    @app.get("/healthz")
    @app.head("/healthz", include_in_schema=False)
    async def health() -> JSONResponse:
        """Say whether predictions can be asked for: 200, or 503 while the study trains."""
        ready = await served.load() is not None
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    @app.get("/metrics")
    @app.head("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Return counts in Prometheus's text format."""
        name = served.opened.answers.trained.name if served.opened else ""
        text = served.counters.text(model=name)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _not_yet() -> JSONResponse:
    return JSONResponse({"error": NOT_YET}, 503)
