"""What was compared: trials left out or trained otherwise, rules that changed, and openings."""

from __future__ import annotations

from bakeoff.analysis.comparison import Comparison, Finding
from bakeoff.utils.text import counted, listed, percent, some


def missing_trials(comparison: Comparison) -> Finding | None:
    """Name trials that the recipe declares and the opening does not hold."""
    if not comparison.missing:
        return None
    return Finding(
        code="missing-trials",
        severity="serious",
        model=None,
        text=(
            f"{counted(len(comparison.missing), 'declared trial')} not in this comparison: "
            f"{some(comparison.missing)}."
        ),
        advice="Run the recipe again: it trains what is missing and opens the test set again.",
    )


def changed_trials(comparison: Comparison) -> Finding | None:
    """Name trials that are no longer what was opened: their results belong to other weights."""
    if not comparison.changed:
        return None
    count = counted(len(comparison.changed), "opened trial")
    return Finding(
        code="changed-trials",
        severity="serious",
        model=None,
        text=(
            f"{count} {'is' if len(comparison.changed) == 1 else 'are'} no longer what was opened, "
            f"and left out here: {some(comparison.changed)}."
        ),
        advice=(
            "Restore them, or run the recipe again: it opens the test set again, which is counted "
            "and makes the verdicts exploratory."
        ),
    )


def rules_changed(comparison: Comparison) -> Finding | None:
    """Notice a margin or the like that is not the one declared at the first opening."""
    if not comparison.changed_rules:
        return None
    return Finding(
        code="rules-changed",
        severity="warning",
        model=None,
        text=(
            f"The rules are not those of the first opening: {listed(comparison.changed_rules)}, "
            "with the results known, so the verdicts are exploratory."
        ),
        advice="Report the verdicts by the rules that were declared, or say that they changed.",
    )


def mixed_environments(comparison: Comparison) -> Finding | None:
    """Notice trials that were trained with other versions, kernels or machines than others."""
    mixed = comparison.environments
    if not mixed:
        return None
    says = [
        f"{key} {listed([f'{value} ({times})' for value, times in counts.items()])}"
        for key, counts in mixed.items()
    ]
    return Finding(
        code="mixed-environments",
        severity="warning",
        model=None,
        text=(
            f"Not all trials were trained alike; in brackets, how many: {'; '.join(says)}. What "
            "differs between models may come from that."
        ),
        advice=(
            "Train all trials again in one environment with another --out, or say so beside the "
            "result."
        ),
    )


def opened_again(comparison: Comparison) -> Finding | None:
    """Notice more than one opening of the test set by what is compared here."""
    if not comparison.unplanned_openings:
        return None
    looks, known = "", "models or seeds were added or trained again with its first results known"
    if comparison.look is not None:
        looks = f", and only {comparison.planned_openings} of these as the looks it declared"
    if (studies := len(comparison.folders)) > 1:
        each = ", once by each of" if comparison.test_openings == studies else " by"
        looks = f"{each} the {studies} studies compared"
        known = "one of them may have been made, or added to, with results of this test set known"
    return Finding(
        code="opened-again",
        severity="warning",
        model=None,
        text=f"The test set was opened {comparison.test_openings} times{looks}, so that {known}: "
        "the verdicts are exploratory.",
        advice="Confirm what you claim on test images that were never opened.",
    )


def opened_elsewhere(comparison: Comparison) -> Finding | None:
    """Notice other studies of this user that opened the same test set."""
    times = comparison.openings_elsewhere
    if times == 0:
        return None
    if times is None:
        text = (
            "Whether other studies opened this test set cannot be said: the user's ledger of it "
            "cannot be read, or was changed."
        )
        advice = "Restore the ledger, or move it away; bakeoff doctor names the file."
    else:
        what, part = "This test set", ", or a part of it," if comparison.partly_elsewhere else ""
        if comparison.shared_elsewhere < 1:
            part, most = "", percent(comparison.shared_elsewhere, 0, "up")
            what = f"Up to {most} of this test set"
        text = (
            f"{what} of {len(comparison.labels):,} images{part} was also opened "
            f"{counted(times, 'time')} by other studies of yours, which may have shaped this "
            "one, or what is told of it."
        )
        advice = "Say so beside the result, or confirm it on test images that were never opened."
    return Finding("opened-elsewhere", "warning", None, text, advice)
