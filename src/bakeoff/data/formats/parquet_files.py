"""Which Parquet files below a folder are a data set, and which part of it each is."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from bakeoff.data.sources import PARTS
from bakeoff.data.words import part_of
from bakeoff.errors import DataError
from bakeoff.utils.clutter import visible
from bakeoff.utils.text import listed, natural, shown, some

_SHARD = "(.*)-([0-9]+)-of-([0-9]+)(?:-[0-9a-f]+)?"  # older ones have a hash at the end


def parquet_files(root: Path) -> dict[str, list[Path]]:
    """Return the files of each part: train, validation, test."""
    if root.is_file():
        return {"train": [root]}
    found = sorted(visible(root.glob("**/*.parquet")), key=lambda each: natural(str(each)))
    if not found:
        raise DataError(f"{shown(root)}: expected Parquet files (.parquet), found none")
    parts: dict[str, list[Path]] = {}
    for path in found:
        part = part_of(path.stem.split("-")[0]) or part_of(path.parent.name)
        if part is None and len(found) > 1:
            raise DataError(
                f"{shown(root)}: expected files called train-…, validation-… or test-…, found "
                f"{shown(path.name)}"
            )
        parts.setdefault(part or "train", []).append(path)
    if "train" not in parts:
        raise DataError(f"{shown(root)}: expected train-….parquet, found only {listed(parts)}")
    if "validation" in parts and "test" not in parts:
        raise DataError(
            f"{shown(root)}: expected test-….parquet beside training and validation, found none: "
            "call the validation file test-… to test on it, or name one file alone"
        )
    for part, paths in parts.items():
        _check_one_set(root, part, paths)
    return {part: parts[part] for part in PARTS if part in parts}


def _check_one_set(root: Path, part: str, paths: Sequence[Path]) -> None:
    """Refuse files of one part in several folders: several sets, each with its own classes."""
    sets = folders_of_sets(root, paths)
    if len(sets) > 1:
        raise DataError(
            f"{shown(root)}: expected the {part} part of one data set, found files of it in "
            f"{named_below(root, sets)}: name one of these folders"
        )


def folders_of_sets(root: Path, files: Iterable[Path]) -> list[Path]:
    """Return the folders below a root in which data sets are that have these files.

    A part's own folder does not count, as in default/train/0000.parquet.
    """
    parents = {each.parent for each in files}
    sets = {each.parent if each != root and part_of(each.name) else each for each in parents}
    return sorted(sets, key=lambda each: natural(str(each)))


def named_below(root: Path, folders: Iterable[Path]) -> str:
    """Name folders below a root, as a message does."""
    return some([f"{shown(each.relative_to(root))}/" for each in folders])


def other_shards(root: Path) -> tuple[str, ...]:
    """Return a note where a file is one of several that belong together, by its name."""
    found = re.fullmatch(_SHARD, root.stem)
    if not root.is_file() or found is None or int(found[3]) < 2:
        return ()
    others = [
        shown(each.name)
        for each in visible(root.parent.glob("*.parquet"))
        if each.name != root.name and (other := re.fullmatch(_SHARD, each.stem)) is not None
        and (other[1], other[3]) == (found[1], found[3])
    ]  # fmt: skip
    beside = f" ({some(others)} beside it)" if others else ""
    return (
        f"{shown(root.name)} is one of {int(found[3]):,} files of a part{beside}: to read all, "
        f"name the folder",
    )
