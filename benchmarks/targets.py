"""What is to be said about targets: a sentence for each that was measured and missed."""

from typing import Any

from bakeoff.utils.text import listed
from benchmarks import digits, start

Plain = dict[str, Any]


def missed(document: Plain) -> list[str]:
    """Return a sentence for every target that was measured and missed."""
    found = []
    for each in document["workloads"]:
        for ours in each["ours"]:
            found += _missed_speed(f"`{each['name']}`, {ours['label']}", ours)
    found += _missed_beside(document)
    return found


def _missed_speed(who: str, ours: Plain) -> list[str]:
    found = [
        f"{who}: {ratio['ratio']:.2f} × the throughput of {ratio['label']}, where "
        f"{ratio['target']:g} × was wanted{_out_of_reach(ratio)}"
        for ratio in ours["ratios"].values()
        if ratio and ratio["met"] is False
    ]
    limit = ours["limit"]
    if limit and limit["met"] is False:
        found.append(
            f"{who}: {100 * limit['large']:.0f} % of the matrix-product limit, where "
            f"{100 * limit['target']:.0f} % was wanted"
        )
    return found


def _out_of_reach(ratio: Plain) -> str:
    most = ratio["most"]
    if most is None or most >= ratio["target"]:
        return ""
    return f"; float32 matrix products alone, with nothing between them, would be {most:.2f} ×"


def _missed_beside(document: Plain) -> list[str]:
    found = []
    study, table, compared = document["digits"], document["scaling"], document["comparing"]
    for state in digits.STATES if study else ():
        if not study[state]["met"]:
            found.append(
                f"the digits study, {state}: {study[state]['seconds']:.1f} s, where less than "
                f"{study['target']:g} s was wanted"
            )
    found += start.missed(document["start"])
    if table and table["workers"]["met"] is False:
        peaks = table["workers"]["peak_bytes"]
        worst = max(peaks, key=lambda name: float(peaks[name]))
        found.append(
            f"the memory of a worker: {peaks[worst] / 1e6:.0f} MB with `{worst}`, where less than "
            f"{table['workers']['target'] / 1e6:.0f} MB was wanted"
        )
    grown = [*(table["axes"] if table else ()), *document["studies"]]
    crooked = [each["axis"] for each in grown if each["straight"] is False]
    if crooked:
        found.append(f"no straight line: {listed(crooked)}")
    if compared and not compared["met"]:
        found.append(
            f"comparing and reporting: {compared['seconds']:.1f} s together, a report "
            f"{compared['verbs']['report']['seconds']:.1f} s, and "
            f"{compared['peak_bytes'] / 1e6:.0f} MB, where less than "
            f"{compared['target_seconds']:g} s, {compared['target_report_seconds']:g} s and "
            f"{compared['target_bytes'] / 1e6:.0f} MB was wanted"
        )
    return found
