"""The Content-Security-Policy of the report: its own scripts by their hashes, nothing from outside.

The report is one self-contained file, made anew from the study; it runs in a sandbox of its own.
"""

import base64
import hashlib
import re


def policy_of(page: bytes) -> str:
    """Return the policy under which the page works and can reach nothing else."""
    scripts = re.findall(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.S)
    hashes = sorted(
        f"'sha256-{base64.b64encode(hashlib.sha256(each).digest()).decode()}'" for each in scripts
    )
    return (
        f"default-src 'none'; script-src {' '.join(hashes) or chr(39) + 'none' + chr(39)}; "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox allow-scripts allow-downloads allow-popups"
    )
