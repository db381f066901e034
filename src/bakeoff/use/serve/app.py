"""The web application of `bakeoff serve`: pages, the prediction endpoint, health and metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
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
from bakeoff.use.serve.guard import Guard, Limits, Refused
from bakeoff.use.serve.live import Live, page_file
from bakeoff.use.serve.report_page import policy_of

EXAMPLES = 30
_INLINE = 100_000  # bytes of a picture that is decoded without a thread of its own
_TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css"}
_INPUT = {
    "requestBody": {
        "required": True,
        "content": {
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["images"],
                    "properties": {"images": {"type": "array", "items": {"type": "array"}}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class Served:
    """A study that is served: while it trains, and from then on with its network."""

    def __init__(self, folder: StudyFolder, *, model: str | None, seed: int | None) -> None:
        self.folder, self._model, self._seed = folder, model, seed
        self.live = Live(folder)
        self.counters = Counters()
        self.answers: Answers | None = None
        self.report: bytes | None = None
        self.one: Batches | None = None
        self.each: Batches | None = None
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
        answers.warm_up()
        comparison = illustrated(compare([self.folder]), self.folder)
        self.report = report.html(comparison).encode()
        self.one = Batches(answers.trained.per_seed)
        self.each = Batches(answers.all_seeds.per_seed)
        self.answers = answers

    def close(self) -> None:
        """Let the threads end."""
        for batches in (self.one, self.each):
            if batches is not None:
                batches.close()


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

    app = FastAPI(
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

    return Guard(app, hosts=hosts, limits=limits or Limits(), on_answer=served.counters.answered)


def _pages(app: FastAPI, served: Served) -> None:
    @app.get("/", include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse("/try" if served.folder.openings() else "/live", 307)

    for name in ("live.html", "try.html", "live.js", "try.js", "style.css"):
        _file(app, name)

    @app.get("/report", include_in_schema=False)
    async def report_page() -> Response:
        await served.load()
        if served.report is None:
            return RedirectResponse("/live", 307)
        policy = {"content-security-policy": policy_of(served.report)}
        return Response(served.report, media_type=_TYPES["html"], headers=policy)

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return Response(status_code=204)


def _file(app: FastAPI, name: str) -> None:
    content, ending = page_file(name), name.rpartition(".")[2]
    path = f"/{name.removesuffix('.html')}"

    @app.get(path, include_in_schema=False)
    async def file() -> Response:
        return Response(content, media_type=_TYPES[ending])


def _endpoints(app: FastAPI, served: Served) -> None:
    @app.get("/study")
    async def study() -> JSONResponse:
        """Return how far the study is: trials, curves, what is running, seconds left."""
        return JSONResponse(await asyncio.to_thread(served.live.picture))

    @app.get("/model")
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

    @app.post("/predict", openapi_extra=_INPUT)
    async def predict(
        request: Request,
        adapt: Annotated[str, Query(description="auto, always or never: centre a figure")] = "auto",
        details: Annotated[bool, Query(description="what the network saw, every seed")] = False,
    ) -> JSONResponse:
        """Predict a picture, or a batch of arrays."""
        answers = served.answers or await served.load()
        if answers is None:
            return _not_yet()
        assert served.one is not None and served.each is not None
        content = await request.body()
        kind = request.headers.get("content-type", "")
        if len(content) <= _INLINE:
            images, centred = answers.read(content, kind, adapt)
        else:
            images, centred = await asyncio.to_thread(answers.read, content, kind, adapt)
        probabilities = await served.one(images)
        answer = answers.answer(images, probabilities, centred=centred)
        if details:
            each = await served.each(images[:1])
            told = await asyncio.to_thread(answers.details, images[0], each[:, 0])
            answer["details"] = told
        served.counters.images += len(images)
        return JSONResponse(answer)

    @app.get("/healthz")
    async def health() -> JSONResponse:
        """Say whether predictions can be asked for: 200, or 503 while the study trains."""
        ready = await served.load() is not None
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        """Return counts in Prometheus's text format."""
        name = served.answers.trained.name if served.answers else ""
        text = served.counters.text(model=name)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _not_yet() -> JSONResponse:
    return JSONResponse({"error": "the study is still training: look at /live"}, 503)
