"""Draws figures where Bakeoff is not: run as a script, in a process of its own.

Its argument is a version of Vega-Lite. It reads a JSON list of specifications and writes a JSON
list of SVG texts. It imports vl-convert, and nothing of Bakeoff.
"""

import json
import signal
import sys

import vl_convert


def main(version: str) -> None:
    """Start the drawing engine at once, wait for the specifications, and draw them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this
    vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"}, vl_version=version)
    specs = json.load(sys.stdin)
    json.dump([vl_convert.vegalite_to_svg(each, vl_version=version) for each in specs], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
