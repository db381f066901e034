"""What /metrics says, in Prometheus's text format: requests, images, seconds."""

from bisect import bisect_left

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5)  # seconds
_PATHS = ("/predict", "/healthz", "/metrics", "/study", "/report", "/")


class Counters:
    """Counts of one server; memory does not grow with the requests."""

    def __init__(self) -> None:
        self.images = 0
        self._answers: dict[tuple[str, str, int], int] = {}
        self._buckets = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        path = path if path in _PATHS else "other"
        method = method if method in ("GET", "HEAD", "POST") else "other"
        key = (method, path, status)
        self._answers[key] = self._answers.get(key, 0) + 1
        if path == "/predict":
            self._buckets[bisect_left(_BOUNDS, seconds)] += 1
            self._seconds += seconds

    def text(self, *, model: str) -> str:
        """Return all counts; `model` is the name that is served."""
        lines = [
            "# HELP bakeoff_requests_total Answers by method, path and status.",
            "# TYPE bakeoff_requests_total counter",
        ]
        for (method, path, status), count in sorted(self._answers.items()):
            labels = f'method="{method}",path="{path}",status="{status}"'
            lines.append(f"bakeoff_requests_total{{{labels}}} {count}")
        lines += [
            "# HELP bakeoff_images_total Images predicted.",
            "# TYPE bakeoff_images_total counter",
            f'bakeoff_images_total{{model="{model}"}} {self.images}',
            "# HELP bakeoff_predict_seconds Seconds from a request's arrival to its answer.",
            "# TYPE bakeoff_predict_seconds histogram",
        ]
        total = 0
        for bound, count in zip((*_BOUNDS, "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'bakeoff_predict_seconds_bucket{{le="{bound}"}} {total}')
        lines.append(f"bakeoff_predict_seconds_sum {self._seconds:.6f}")
        lines.append(f"bakeoff_predict_seconds_count {total}")
        return "\n".join(lines) + "\n"
