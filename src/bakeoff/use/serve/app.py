"""The web application of `bakeoff serve`: pages, the prediction endpoint, health and metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from bakeoff import report
from bakeoff.analysis.compare import compare
from bakeoff.errors import BakeoffError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.collect_images import illustrated
from bakeoff.study.trained_model import trained_model
from bakeoff.use.serve.answers import Answers
from bakeoff.use.serve.batches import Batches
from bakeoff.use.serve.counters import Counters
from bakeoff.use.serve.endpoint import DESCRIPTION, PATH, PredictEndpoint
from bakeoff.use.serve.guard import Guard, Limits, Receive, Refused, Scope, Send
from bakeoff.use.serve.live import Live, page_file
from bakeoff.use.serve.report_page import policy_of

EXAMPLES = 30
_READ = ["GET", "HEAD"]
_TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css"}


class Served:
    """A study that is served: while it trains, and from then on with its network."""

    def __init__(self, folder: StudyFolder, *, model: str | None, seed: int | None) -> None:
        self.folder, self._model, self._seed = folder, model, seed
        self.live = Live(folder)
        self.counters = Counters()
        self.answers: Answers | None = None
        self.report: bytes | None = None
        self.batches: tuple[Batches, Batches] | None = None  # of the network, of every seed
        self._loading = asyncio.Lock()

    async def load(self) -> Answers | None:
        """Load network and report as soon as the test set is open; None before."""
        if self.answers is None and self.folder.openings():
            async with self._loading:
                if self.answers is None:
                    await asyncio.to_thread(self._load)
        return self.answers

    def _load(self) -> None:
        trained = trained_model(self.folder, model=self._model, seed=self._seed)
        answers = Answers(trained, self.folder)
        inline = answers.warm_up()
        comparison = illustrated(compare([self.folder]), self.folder)
        self.report = report.html(comparison).encode()
        self.batches = Batches(answers.predict, inline=inline), Batches(answers.predict_each)
        self.answers = answers

    async def predictor(self) -> tuple[Answers, Batches, Batches] | None:
        """Return what predictions are made with; None before the test set is open."""
        answers = self.answers or await self.load()
        if answers is None or self.batches is None:
            return None
        return answers, *self.batches

    def count(self, images: int) -> None:
        """Count predicted images."""
        self.counters.images += images

    def close(self) -> None:
        """Let the threads end."""
        for batches in self.batches or ():
            batches.close()


class _App(FastAPI):
    """Describes /predict too, which is answered beside it."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        document = super().openapi()
        document["paths"].setdefault(PATH, {"post": DESCRIPTION})
        return document


def application(
    folder: StudyFolder,
    *,
    model: str | None = None,
    seed: int | None = None,
    hosts: frozenset[str],
    limits: Limits | None = None,
) -> Guard:
    """Return the ASGI application that serves a study.

    hosts : names under which the server may be asked
    """
    served = Served(folder, model=model, seed=seed)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await served.load()
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
        await served.load()
        if served.report is None:
            return RedirectResponse("/live", 307)
        policy = {"content-security-policy": policy_of(served.report)}
        return Response(served.report, media_type=_TYPES["html"], headers=policy)

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
        answers = await served.load()
        if answers is None:
            return _not_yet()
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
        name = served.answers.trained.name if served.answers else ""
        text = served.counters.text(model=name)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _not_yet() -> JSONResponse:
    return JSONResponse({"error": "the study is still training: look at /live"}, 503)
