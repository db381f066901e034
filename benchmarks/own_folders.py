"""What `bakeoff new` reaches on four folders of pictures, beside networks that were tuned by hand.

Run: python -m benchmarks.own_folders FOLDER [NAME...]
Needs, of Debian, fonts-noto-color-emoji, unicode-data, oxygen-icon-theme and some fonts-…; for
patches of photographs scikit-image. Makes the folders that are missing, `letters` (ten letters in
as many typefaces as are here), `emoji` (by Unicode's groups), `icons` (Oxygen's, by context) and
`patches` (of eleven photographs), runs the recipe that `bakeoff new` writes with one test part of
30 % and 3 seeds, then those of `by_hand` on the same split, and prints a line for each model, and
what `bakeoff plan` says of the time beside what it took, where nothing of it was trained before.
"""

import hashlib
import importlib.util
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image, ImageDraw, ImageFont

from bakeoff.cli.new import new
from bakeoff.recipe import parse
from bakeoff.study.planning.plan import plan
from bakeoff.study.run import run

SIDE = 32
Picture = tuple[str, Any]
FONTS, EMOJI = Path("/usr/share/fonts"), Path("/usr/share/unicode/emoji/emoji-test.txt")
ICONS = Path("/usr/share/icons/oxygen/base/48x48")
PHOTOGRAPHS = (
    *("astronaut.png", "brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png"),
    *("hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg"),
)
FEWEST, MOST = 20, 100  # pictures of a class
SPLIT = {"validation": 0.2, "test": 0.3}


def letters() -> Iterator[Picture]:
    """Yield ten letters as typefaces of this machine draw them."""
    files = sorted(path for path in FONTS.rglob("*.[ot]tf") if "Emoji" not in path.name)
    for path in files:
        font = ImageFont.truetype(path, 24)
        for letter in "abdegkqrst":
            picture = Image.new("L", (SIDE, SIDE), 255)
            ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), letter, 0, font, anchor="mm")
            if np.asarray(picture).min() < 128:
                yield letter, picture


def emoji() -> Iterator[Picture]:
    """Yield Noto's emoji without tones of skin, by Unicode's groups."""
    font = ImageFont.truetype(next(FONTS.rglob("NotoColorEmoji.ttf")), 109)
    group = ""
    for line in EMOJI.read_text(encoding="utf-8").splitlines():
        group = line.removeprefix("# group: ") if line.startswith("# group: ") else group
        codes, _, rest = line.partition(";")
        if group == "Component" or "fully-qualified" not in rest or "skin tone" in rest:
            continue
        points = [int(code, 16) for code in codes.split()]
        if len(points) == 1:  # what is joined needs a layout engine
            picture = Image.new("RGB", (136, 128), "white")
            draw = ImageDraw.Draw(picture)
            draw.text((0, 0), chr(points[0]), font=font, embedded_color=True)
            yield group.lower().replace(" & ", "-"), picture


def icons() -> Iterator[Picture]:
    """Yield the icons of contexts that have enough of them."""
    for path in sorted(ICONS.glob("*/*.png")):
        if path.parent.name in ("actions", "apps", "devices", "mimetypes", "places", "status"):
            with Image.open(path) as icon:
                white = Image.new("RGBA", icon.size, "white")
                yield path.parent.name, Image.alpha_composite(white, icon.convert("RGBA"))


def patches() -> Iterator[Picture]:
    """Yield squares of photographs, none of which overlap."""
    found = importlib.util.find_spec("skimage")
    assert found is not None and found.origin is not None, "pip install scikit-image"
    for name in PHOTOGRAPHS:
        with Image.open(Path(found.origin).parent / "data" / name) as photograph:
            whole = photograph.convert("RGB")
            whole.thumbnail((512, 512))
            for top in range(0, whole.height - 31, 48):
                for left in range(0, whole.width - 31, 48):
                    yield Path(name).stem, whole.crop((left, top, left + 48, top + 48))


KINDS: dict[str, Callable[[], Iterator[Picture]]] = {
    "letters": letters,
    "emoji": emoji,
    "icons": icons,
    "patches": patches,
}


def make(kind: str, folder: Path) -> None:
    """Write the pictures of a kind, each once, at most MOST of a class, of SIDE×SIDE pixels."""
    seen: set[bytes] = set()
    counts: Counter[str] = Counter()
    for label, picture in KINDS[kind]():
        picture = picture.convert("L" if kind == "letters" else "RGB").resize((SIDE, SIDE))
        digest = hashlib.sha256(picture.tobytes()).digest()
        if digest not in seen and counts[label] < MOST:
            seen.add(digest)
            target = folder / label / f"{counts[label]:03}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            picture.save(target)
            counts[label] += 1
    for label in (label for label, count in counts.items() if count < FEWEST):
        shutil.rmtree(folder / label)


def convolutions(*filters: int, dense: int, moved: float) -> dict[str, Any]:
    """Return a network with two convolutions of each width, and augmentation."""
    layers: list[Any] = [
        {"random_translation": {"height_factor": moved, "width_factor": moved}},
        {"random_rotation": 0.02},
        {"random_zoom": 0.1},
    ]
    for width in filters:
        for _ in range(2):
            layers += [
                {"conv2d": {"filters": width, "kernel_size": 3, "padding": "same"}},
                {"batch_normalization": {"momentum": 0.9}},
                {"activation": "relu"},
            ]
        layers.append({"max_pooling2d": 2})
    layers += ["global_average_pooling2d", {"dropout": 0.4}]
    layers += [{"dense": {"units": dense, "activation": "relu"}}] if dense else []
    rate = [{"cosine": {"start": 0.003, "end": 0.00003}}]
    training = {"epochs": 40, "batch_size": 32, "optimizer": {"adam": {"learning_rate": rate}}}
    return {"layers": layers, "training": training}


def heads() -> dict[str, Any]:
    """Return heads on ImageNet's features: wide, smoothed, decayed."""
    features = {"backbone": "efficientnet_lite0"}
    slow = [{"cosine": {"start": 0.001, "end": 0.00001}}]
    decayed = {"adamw": {"learning_rate": slow, "weight_decay": 0.1}}
    long = {"epochs": 80, "optimizer": decayed, "label_smoothing": 0.1}
    wide = [{"dropout": 0.5}, {"dense": {"units": 256, "activation": "relu"}}, {"dropout": 0.5}]
    return {
        "head-smoothed": {**features, "layers": [{"dropout": 0.4}], "training": long},
        "head-wide": {**features, "layers": wide, "training": {**long, "epochs": 40}},
    }


def by_hand(kind: str) -> dict[str, Any]:
    """Return the networks that were tuned by hand for a folder."""
    cnn = {"cnn-tuned": convolutions(32, 64, 128, dense=0, moved=0.1)}
    if kind == "letters":
        return {**cnn, "cnn-wide": convolutions(48, 96, dense=128, moved=0.08)}
    return {**cnn, **heads()}


def carry_out(raw: dict[str, Any], folder: Path, kind: str) -> None:
    """Run a recipe; print a line for each model, and how long it took."""
    recipe, out = parse(raw, origin=kind, folder=folder), folder / "studies" / raw["name"]
    planned = None if out.exists() else plan(recipe).seconds
    begun = time.monotonic()
    found = run(recipe, out=out)
    took = time.monotonic() - begun
    if found.comparison is None:
        return
    if planned is not None:
        times = f"planned {planned:.0f} s, took {took:.0f} s, {took / planned:.2f} times that"
        sys.stdout.write(f"{kind} {raw['name']}: {times}\n")
    for model in found.comparison.models:
        estimate = model.accuracy.estimate
        sys.stdout.write(
            f"{kind} {raw['name']} {model.name}: {100 * estimate.mean:.1f} % "
            f"[{100 * estimate.low:.1f}, {100 * estimate.high:.1f}], "
            f"{model.seconds_per_trial or 0:.0f} s a trial\n"
        )
    sys.stdout.flush()


def main() -> None:
    """Make the folders, run both recipes on each."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for kind in sys.argv[2:] or KINDS:
        if not (folder / kind).exists():
            make(kind, folder / kind)
        path = folder / f"{kind}.yaml"
        if not path.exists():
            new(str(folder / kind), folder=folder)
        first = yaml.safe_load(path.read_text(encoding="utf-8"))
        more = {"split": SPLIT, "seeds": 3}
        carry_out({**first, **more, "name": f"{kind}-first"}, folder, kind)
        hand = {**first, **more, "name": f"{kind}-hand", "models": by_hand(kind), "baselines": []}
        carry_out(hand, folder, kind)


if __name__ == "__main__":
    main()
