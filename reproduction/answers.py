"""The questions of docs/reproduction.md, answered from the studies' documents; plain data only.

Every function takes studies as `collect.study_document` makes them, by recipe name; an answer is
None as long as its studies have not been opened.
"""

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from reproduction.reported import (
    CALLED_BEST,
    CHALLENGES,
    CONFUSED_IN_FASHION,
    DENSE_STRUGGLES,
    DOCUMENTS,
    Challenge,
)

Plain = dict[str, Any]
Studies = Mapping[str, Plain]
LOWEST = 3  # classes that are named
_ABOUT_CLASSES = ("weak-classes", "confused-classes")
_SURE_AND_WRONG = -log(1e-7)  # the largest cross-entropy there is, Keras's and Bakeoff's


def answers(studies: Studies) -> Plain:
    """Return every answer by its name."""
    return {
        "separable": {name: separable(studies.get(name)) for name in _pair("002")},
        "winner": {name: winner(studies.get(name)) for name in _pair("001")},
        "classes": classes(studies),
        "seen": seen(studies),
        "production": {name: production(studies.get(name)) for name in _pair("004")},
        "tables": tables(studies.get("notebook-002")),
        "slow": slow(*(studies.get(name) for name in (*_pair("004"), "dead"))),
        "best": {each.recipe: best(each, studies.get(each.recipe)) for each in CHALLENGES},
    }


def _pair(number: str) -> tuple[str, str]:
    return f"notebook-{number}", f"honest-{number}"


def relations(study: Plain, name: str) -> dict[str, list[Plain]]:
    """Return a model's pairs by what they say of it: the words of verdicts, and "untested"."""
    told: dict[str, list[Plain]] = {
        word: [] for word in ("better", "worse", "practically equal", "not separated", "untested")
    }
    opposite = {"better": "worse", "worse": "better"}
    for pair in study["comparisons"]:
        if name not in (pair["a"], pair["b"]):
            continue
        word, other = pair["verdict"] or "untested", pair["b"]
        if name == pair["b"]:
            word, other = opposite.get(word, word), pair["a"]
        told[word].append({"other": other, "sentence": pair["sentence"]})
    return told


def separable(study: Plain | None) -> Plain | None:
    """Say which models of 002 can be told apart, and whether the one called best is the best."""
    if study is None:
        return None
    pairs = study["comparisons"]
    counts = {
        word: sum(pair["verdict"] == word for pair in pairs)
        for word in ("better", "practically equal", "not separated")
    }
    told = relations(study, CALLED_BEST)
    order = [model["name"] for model in study["models"]]
    unresolved = told["practically equal"] + told["not separated"]
    if told["worse"]:
        conclusion = "beaten"
    elif unresolved or told["untested"]:
        conclusion = "among the best"
    else:
        conclusion = "the best"
    return {
        "seeds": seeds_of(study),
        "models": [_line(model) for model in study["models"]],
        "pairs": len(pairs),
        "counts": counts,
        "unresolved": [
            {key: pair[key] for key in ("a", "b", "verdict", "by_less_than_margin", "sentence")}
            for pair in pairs
            if pair["verdict"] != "better"
        ],
        "called_best": CALLED_BEST,
        "rank": order.index(CALLED_BEST) + 1,
        "top": order[0],
        "told": told,
        "conclusion": conclusion,
    }


def winner(study: Plain | None) -> Plain | None:
    """Say who wins, by how much, with which verdict."""
    if study is None or len(study["models"]) < 2:
        return None
    first = study["models"][0]["name"]
    return {
        "seeds": seeds_of(study),
        "models": [_line(model) for model in study["models"]],
        "winner": first,
        "against": [
            {
                "other": pair["b"],
                "verdict": pair["verdict"],
                "by_less_than_margin": pair["by_less_than_margin"],
                "difference": pair["difference"],
                "ci": pair["ci"],
                "probability": pair["probability_a_better"],
                "sentence": pair["sentence"],
            }
            for pair in study["comparisons"]
            if pair["a"] == first
        ],
        "others": [pair["sentence"] for pair in study["comparisons"] if pair["a"] != first],
        "openings": study["openings"],
    }


def classes(studies: Studies) -> Plain:
    """Say which classes each model of 001 and 003 struggles with."""
    lines = []
    for number in ("001", "003"):
        study = studies.get(f"notebook-{number}")
        for model in study["models"] if study else ():
            lines.append({"document": number, **_struggles(study or {}, model)})
    return {
        "models": lines,
        "said_of_dense": list(DENSE_STRUGGLES),
        "said_of_fashion": list(CONFUSED_IN_FASHION),
    }


def _struggles(study: Plain, model: Plain) -> Plain:
    known = {name: score for name, score in model["classes"].items() if score is not None}
    lowest = sorted(known, key=lambda name: known[name]["mean"])[:LOWEST]
    return {
        "model": model["name"],
        "lowest": [{"class": name, **known[name]} for name in lowest],
        "confusions": model["confusions"][:LOWEST],
        "pair": model["pair_confusions"][0] if model["pair_confusions"] else None,
        "findings": [
            {"code": each["code"], "text": each["text"]}
            for each in study["findings"]
            if each["model"] == model["name"] and each["code"] in _ABOUT_CLASSES
        ],
    }


def seen(studies: Studies) -> Plain:
    """Set what the authors of 001 and 003 saw beside what Bakeoff's findings say of the models."""
    return {
        "over_fitting": _over_fitting(studies.get("honest-001"), "dense"),
        "dense": _below_average(studies.get("notebook-001"), "dense", DENSE_STRUGGLES),
        "fashion": [
            {
                "model": model["name"],
                "pair": model["pair_confusions"][0],
                "findings": _texts(study, model["name"], ("confused-classes",)),
                "agrees": sorted(model["pair_confusions"][0]["classes"])
                == sorted(CONFUSED_IN_FASHION),
            }
            for study in [studies.get("notebook-003")]
            if study
            for model in study["models"]
        ],
    }


def _over_fitting(study: Plain | None, name: str) -> Plain | None:
    model = _model(study, name)
    if study is None or model is None:
        return None
    return {
        "selected_epochs": model["selected_epochs"],
        "epochs": model["epochs"],
        "findings": _texts(study, name, ("over-fitting",)),
    }


def _model(study: Plain | None, name: str) -> Plain | None:
    return next(
        (each for each in (study or {"models": ()})["models"] if each["name"] == name), None
    )


def _below_average(study: Plain | None, name: str, said: Sequence[str]) -> Plain | None:
    """Return the classes whose whole interval lies below the average class, and the said ones."""
    model = _model(study, name)
    if study is None or model is None:
        return None
    scores = {key: score for key, score in model["classes"].items() if score is not None}
    average = sum(score["mean"] for score in scores.values()) / len(scores)
    below = [key for key in scores if scores[key]["ci"][1] < average]
    return {
        "average": average,
        "below": sorted(below, key=lambda key: float(scores[key]["mean"])),
        "said": [{"class": key, **scores[key], "below": key in below} for key in said],
        "findings": _texts(study, name, _ABOUT_CLASSES),
    }


def _texts(study: Plain, model: str, codes: Sequence[str]) -> list[str]:
    return [
        each["text"]
        for each in study["findings"]
        if each["model"] == model and each["code"] in codes
    ]


def production(study: Plain | None) -> Plain | None:
    """Say which model of 004 to put into production, and why."""
    if study is None or study["recommended"] is None:
        return None
    return {
        "seeds": seeds_of(study),
        "models": [_line(model) for model in study["models"]],
        "recommended": study["recommended"],
        "give_up": study["give_up"],
        "sentences": [pair["sentence"] for pair in study["comparisons"]],
        "over_fitting": [
            {"model": each["model"], "text": each["text"]}
            for each in study["findings"]
            if each["code"] == "over-fitting"
        ],
        "has_curves": bool(study["data"]["validation"]),
    }


def tables(study: Plain | None) -> Plain | None:
    """Say where 002's final table differs from the runs it sums up, and what our runs say."""
    if study is None:
        return None
    document = next(each for each in DOCUMENTS if each.number == "002")
    known = {model["name"]: model for model in study["models"]}
    reported = [each for each in document.models if each.model in known]
    printed = {each.model: each.accuracy for each in reported}
    tabled = {each.model: each.table or each.accuracy for each in reported}
    means = {name: known[name]["accuracy"]["mean"] for name in printed}
    lines = []
    for name in printed:
        if printed[name] == tabled[name]:
            continue
        low, high = known[name]["prediction"] or known[name]["accuracy"]["ci"]
        lines.append(
            {
                "model": name,
                "printed": printed[name],
                "table": tabled[name],
                "mean": means[name],
                "prediction": [low, high],
                "printed_inside": low <= printed[name] <= high,
                "table_inside": low <= tabled[name] <= high,
                "rank": {
                    "printed": _rank(printed, name),
                    "table": _rank(tabled, name),
                    "ours": _rank(means, name),
                },
                "passed": _passed(study, name, printed, tabled),
            }
        )
    return {"models": len(printed), "lines": lines, "parameters": _parameters(known)}


def _passed(
    study: Plain, name: str, printed: Mapping[str, float], tabled: Mapping[str, float]
) -> list[Plain]:
    """Return the models that the table puts on the other side of `name` than the runs do."""
    moved = [
        other
        for other in printed
        if (printed[name] - printed[other]) * (tabled[name] - tabled[other]) < 0
    ]
    pairs = {frozenset((pair["a"], pair["b"])): pair for pair in study["comparisons"]}
    return [
        {"other": other, "sentence": pairs[frozenset((name, other))]["sentence"]} for other in moved
    ]


def _parameters(known: Mapping[str, Plain]) -> dict[str, int]:
    return {name: model["parameters"] for name, model in sorted(known.items())}


def _rank(values: Mapping[str, float], name: str) -> int:
    return 1 + sum(value > values[name] for value in values.values())


def slow(study: Plain | None, honest: Plain | None, dead: Plain | None) -> Plain | None:
    """Say what learning rate 0.0001 gives, and what is found of a network that is really dead."""
    if study is None:
        return None
    known = {model["name"]: model for model in study["models"]}
    reported = next(each for each in DOCUMENTS[-1].models if each.model == "course-1-slow")
    pair = next(
        pair
        for pair in study["comparisons"]
        if {pair["a"], pair["b"]} == {"course-1", "course-1-slow"}
    )
    return {
        "seeds": seeds_of(study),
        "slow": _line(known["course-1-slow"]),
        "fast": _line(known["course-1"]),
        "sentence": pair["sentence"],
        "curves": [
            {"code": each["code"], "text": each["text"], "advice": each["advice"]}
            for each in (honest["findings"] if honest else ())
            if each["model"] == "course-1-slow" and each["code"] == "still-improving"
        ],
        "any_dead": any(each["code"] == "dead-run" for each in study["findings"]),
        "reported": {
            "accuracy": reported.accuracy,
            "loss": reported.loss,
            "largest_loss": _SURE_AND_WRONG,
            "arithmetic": _SURE_AND_WRONG * (1 - reported.accuracy),
        },
        "dead": _dead(dead),
    }


def _dead(study: Plain | None) -> Plain | None:
    if study is None:
        return None
    model = study["models"][0]
    return {
        "model": model["name"],
        "accuracies": model["accuracy"]["per_seed"],
        "losses": model["loss"]["per_seed"],
        "first_losses": model["first_losses"],
        "final_losses": model["final_losses"],
        "most_answered": model["most_answered"],
        "images": study["data"]["test"],
        "findings": [
            {key: each[key] for key in ("code", "severity", "text", "advice")}
            for each in study["findings"]
            if each["model"] == model["name"]
        ],
    }


def best(challenge: Challenge, study: Plain | None) -> Plain | None:
    """Say what a network of ours reaches beside the documents' best, and with which verdicts."""
    ours = _model(study, challenge.model)
    if study is None or ours is None:
        return None
    told = relations(study, challenge.model)
    low, high = ours["accuracy"]["ci"]
    return {
        "seeds": seeds_of(study),
        "data": study["data"],
        "models": [_line(model) for model in study["models"]],
        "model": challenge.model,
        "ours": _line(ours),
        "aim": challenge.aim,
        "history": challenge.history,
        "reached": ours["accuracy"]["mean"] >= challenge.aim,
        "shown": "above" if low > challenge.aim else "below" if high < challenge.aim else "neither",
        "beats_all": len(told["better"]) == len(study["models"]) - 1,
        "sentences": [each["sentence"] for pairs in told.values() for each in pairs],
    }


def seeds_of(study: Plain) -> list[int]:
    """Return the fewest and the most seeds that a model of the study has."""
    counts: Sequence[int] = [len(model["seeds"]) for model in study["models"]]
    return [min(counts), max(counts)]


def _line(model: Plain) -> Plain:
    return {
        "model": model["name"],
        "mean": model["accuracy"]["mean"],
        "ci": model["accuracy"]["ci"],
        "group": model["group"],
        "parameters": model["parameters"],
        "seconds_per_trial": model["seconds_per_trial"],
    }
