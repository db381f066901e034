"""`make test-lowest`: the lowest versions that pyproject.toml allows, as constraints for pip.

Every `name>=1.2` of the dependencies and extras becomes `name==1.2`.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_LOWEST = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9][0-9.]*)$")


def lowest(project: Mapping[str, Any]) -> Iterator[str]:
    """Yield a constraint for every requirement of a pyproject.toml that has a lower bound.

    ValueError for one that has neither a lower bound alone nor one version.
    """
    extras = project["project"].get("optional-dependencies", {})
    for wanted in sum(extras.values(), project["project"]["dependencies"]):
        found = _LOWEST.match(wanted)
        if found is not None:
            yield f"{found[1]}=={found[2]}"
        elif "==" not in wanted:
            raise ValueError(f"expected name>=version or name==version, found {wanted}")


if __name__ == "__main__":
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    sys.stdout.write("".join(f"{each}\n" for each in dict.fromkeys(lowest(tomllib.loads(text)))))
