"""Folders of images from strangers: bombs, disguises, links, pipes, names."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.png import chunk, png
from tests.robustness.hostile.bombs import zlib_bomb
from tests.robustness.hostile.case import Case

RECIPE = "name: x\ndata: {folder: photos, size: [8, 8]}\nmodels: {mlp: {layers: []}}\n"


def picture(kind: str, size: int = 8) -> bytes:
    import io

    pixels = np.arange(size * size * 3, dtype=np.uint8).reshape(size, size, 3)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def _good(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "1.png").write_bytes(picture("PNG"))


def _only(name: str, content: bytes, *says: str, file: str = "1.png") -> Case:
    """Class b has one image, which is broken."""

    def make(folder: Path) -> list[str]:
        _good(folder / "photos", "a")
        (folder / "photos" / "b").mkdir()
        (folder / "photos" / "b" / file).write_bytes(content)
        (folder / "r.yaml").write_text(RECIPE)
        return ["run", "r.yaml"]

    return Case(f"image {name}", make, ("photos", "class b", *says))


def _placed(name: str, build: Callable[[Path], None], *says: str) -> Case:
    """`build` fills the folder of classes; class a is good."""

    def make(folder: Path) -> list[str]:
        _good(folder / "photos", "a")
        build(folder / "photos")
        (folder / "r.yaml").write_text(RECIPE)
        return ["run", "r.yaml"]

    return Case(f"folder {name}", make, says)


def images() -> list[Case]:
    """Files that are no images, or too much of one."""
    zeros = zlib_bomb(1 << 8)
    whole = picture("PNG")
    jpeg = picture("JPEG")
    text = chunk(b"zTXt", b"a\0\0" + zlib_bomb(1 << 6))
    return [
        _only("of 50,000 × 50,000", png(50_000, 50_000, zeros), "1.png", "pixels"),
        _only("of 2^31 × 2^31", png(2**31 - 1, 2**31 - 1, b""), "1.png", "pixels"),
        _only("of no width", png(0, 8, zlib.compress(b"")), "1.png"),
        _only("of a bomb behind 8 × 8", png(8, 8, zeros)[:200], "1.png"),
        _only("of a bomb in its text", whole[:33] + text * 10 + b"x", "1.png"),
        _only("of a million chunks", whole[:33] + chunk(b"teXt", b"") * 500_000, "chunks"),
        _only("of a wrong checksum", whole[:40] + b"\0" + whole[41:], "1.png"),
        _only("that is cut", whole[: len(whole) // 2], "1.png"),
        _only("that is empty", b"", "1.png"),
        _only("of a signature alone", whole[:8], "1.png"),
        _only("of a chunk of 4 GB", whole[:33] + b"\xff\xff\xff\xffIDAT", "1.png"),
        _only("of depth 3", png(8, 8, zlib.compress(bytes(80)), depth=3), "1.png"),
        _only("that is a GIF cut", picture("GIF")[:60], "1.png"),
        _only("that is a BMP cut", picture("BMP")[:60], "1.png"),
        _only("that is a TIFF cut", picture("TIFF")[:60], "1.png"),
        _only("that is a WebP cut", picture("WEBP")[:60], "1.png"),
        _only("that is a PDF", b"%PDF-1.4\n" + bytes(100), "not an image"),
        _only("that is PostScript", b"%!PS\n(/etc/passwd) (r) file\n", "not an image"),
        _only("that is an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        _only("that is HTML", b"<html>404</html>", "1.jpg", "not an image", file="1.jpg"),
        _only("that is a pickle", b"cos\nsystem\n(S'id'\ntR.", "not an image"),
        _only("that is a JPEG cut", jpeg[: len(jpeg) // 3], "1.jpg", file="1.jpg"),
        _only("that is a JPEG of 65,500²", _resized(jpeg, 65_500), "1.jpg", file="1.jpg"),
        _only("that is a JPEG of no size", _resized(jpeg, 0), "1.jpg", file="1.jpg"),
        _only("that is a JPEG of 60 scans", _scans(jpeg, 60), "1.jpg", "scans", file="1.jpg"),
        _only("that is a JPEG's start", b"\xff\xd8\xff", "1.jpg", file="1.jpg"),
        _only("that is fill bytes", b"\xff\xd8" + b"\xff" * 1_000_000, "1.jpg", file="1.jpg"),
    ]


def _resized(jpeg: bytes, side: int) -> bytes:
    place = jpeg.index(b"\xff\xc0")
    return jpeg[: place + 5] + struct.pack(">HH", side, side) + jpeg[place + 9 :]


def _scans(jpeg: bytes, count: int) -> bytes:
    place = jpeg.index(b"\xff\xda")
    return jpeg[:-2] + jpeg[place:-2] * count + b"\xff\xd9"


def links_and_names() -> list[Case]:
    """What lies in a folder instead of images."""

    def link(target: str) -> Callable[[Path], None]:
        def build(folder: Path) -> None:
            (folder / "b").mkdir()
            (folder / "b" / "1.png").symlink_to(target)

        return build

    def made(make: Callable[[Path], None]) -> Callable[[Path], None]:
        def build(folder: Path) -> None:
            (folder / "b").mkdir()
            make(folder / "b" / "1.png")

        return build

    def named(name: str) -> Callable[[Path], None]:
        def build(folder: Path) -> None:
            (folder / name).mkdir()
            (folder / name / "1.png").write_bytes(b"")

        return build

    def sparse(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(1 << 40)

    def socket(path: Path) -> None:
        import socket

        with socket.socket(socket.AF_UNIX) as one:
            here = os.getcwd()
            os.chdir(path.parent)  # such names are short
            one.bind(path.name)
            os.chdir(here)

    return [
        _placed("with a link out", link("/etc/passwd"), "class b"),
        _placed("with a link up", link("../../r.yaml"), "class b"),
        _placed("with a link to a device", link("/dev/zero"), "class b"),
        _placed("with a link to itself", link("1.png"), "class b"),
        _placed("with a pipe", made(os.mkfifo), "class b"),
        _placed("with a socket", made(socket), "class b"),
        _placed("with a folder called 1.png", made(Path.mkdir), "class b"),
        _placed("with a terabyte of nothing", made(sparse), "class b", "bytes"),
        _placed("with a linked class", lambda f: (f / "b").symlink_to("/usr/share"), "1 link"),
        _placed("of one class", lambda f: None, "at least 2 classes"),
        _placed("with a name of two lines", named("b\nc"), r"class b\nc"),
        _placed("with a name that colours", named("b\x1b[31m"), r"class b\x1b[31m"),
        _placed("with a name that turns", named("b\u202ec"), r"class b\u202ec"),
        _placed("with a name that is no text", named(os.fsdecode(b"b\xff")), "class b"),
        _placed("with an invisible name", named("\u200b"), r"class \u200b"),
        Case("folder that is not there", _elsewhere("nowhere"), ("nowhere", "expected the data")),
        Case("folder that is a file", _elsewhere("r.yaml"), ("r.yaml", "expected a folder")),
        Case(
            "folder that is a device", _elsewhere("/dev/zero"), ("/dev/zero", "expected a folder")
        ),
        Case("folder that is empty", _elsewhere("."), ("at least 2 classes",)),
    ]


def _elsewhere(place: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / "r.yaml").write_text(RECIPE.replace("photos", place))
        return ["run", "r.yaml"]

    return make


def cases() -> list[Case]:
    """All of them."""
    return [*images(), *links_and_names()]
