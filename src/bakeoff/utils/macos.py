"""What macOS says of itself by its own commands, where Linux has files in /proc."""

import re
import subprocess

_SECONDS = 5.0
_FREE = ("free", "inactive", "speculative", "purgeable")  # pages that are given to whoever asks


def free_memory() -> int | None:
    """Return how many bytes may be asked for now; None where `vm_stat` does not say."""
    text = _said("/usr/bin/vm_stat")
    size = re.search(r"page size of (\d+) bytes", text)
    pages = re.findall(rf"Pages (?:{'|'.join(_FREE)}):\s+(\d+)", text)
    return int(size[1]) * sum(map(int, pages)) if size and pages else None


def processor() -> str:
    """Return the processor's name, such as "Apple M2"; "" where `sysctl` does not say."""
    return _said("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string").strip()


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
