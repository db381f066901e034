"""What `bakeoff run --json` prints of a test set that it left sealed: a comparison's document."""

from typing import Any

from bakeoff.analysis.changed_rules import changed_rules
from bakeoff.analysis.environments import differing, joined
from bakeoff.analysis.json_document import model_document, study_document
from bakeoff.recipe import Recipe
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.status import StudyStatus
from bakeoff.utils.numbers import mean_of_known


def to_json(now: StudyStatus) -> dict[str, Any]:
    """Return the document of `bakeoff run --json` for a test set that this run did not open.

    It has the shape of a comparison's; what only test predictions could tell is None.
    """
    recipe = read_recipe(now.folder, now.study)
    planned = max(1, now.looks.kept if now.looks else 1)
    other_rules = changed_rules(recipe, now.folder.read_ledger())
    return study_document(
        study=recipe.name,
        title=recipe.title,
        data=now.study["data"],
        selection=recipe.selection,
        seeds=sorted({trial.seed for trial in now.trials}),
        margin=recipe.margin,
        give_up=recipe.give_up,
        prefer=recipe.prefer,
        test_openings=now.openings,
        looks=now.looks and {"declared": now.looks.after, "look": now.looks.kept or None},
        exploratory=now.openings > planned or bool(now.changed) or bool(other_rules),
        models=[_model_json(now, recipe, name) for name in recipe.models],
        baselines=[
            {"name": name, "parameters": None, "accuracy": {"mean": None, "ci": None}}
            for name, fitted in now.baselines.items()
            if fitted
        ],
        comparisons=[],
        findings=[],
        changed=list(now.changed),
        missing=[f"{t.model} seed {t.seed}" for t in now.trials if t.state != "finished"],
        environment=joined(now.environments),
        environments=differing(now.environments),
    )


def _model_json(now: StudyStatus, recipe: Recipe, name: str) -> dict[str, Any]:
    done = now.of(name, "finished")
    documents = [trial.document or {} for trial in done]
    first = documents[0] if documents else {}
    validated = [document["validation"] or {} for document in documents]
    known = model_document(
        name=name,
        study=recipe.name,
        parameters=first.get("parameters"),
        trainable_parameters=first.get("trainable_parameters"),
        seeds=[trial.seed for trial in done],
        epochs=recipe.models[name].training.epochs,
        selected_epochs=[document["selected_epoch"] for document in documents],
        diverged=[t.seed for t in done if (t.document or {})["diverged_epoch"] is not None],
        seconds_per_trial=mean_of_known([trial.seconds for trial in done]),
    )
    scores = {
        "accuracy": [each.get("accuracy") for each in validated],
        "loss": [each.get("cross_entropy") for each in validated],
    }
    return {**known, "validation": scores}
