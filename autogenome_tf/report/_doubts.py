"""Warnings about the scores of a run."""

from collections.abc import Iterator

from autogenome_tf.families import BASELINE
from autogenome_tf.metrics import HIGHER_IS_BETTER
from autogenome_tf.report._page import interval
from autogenome_tf.run import Run
from autogenome_tf.tasks import Kind

# Parts that neither training nor search has used.
UNUSED = ("test", "evaluate")
PERFECT = 0.9995


def doubts(run: Run) -> list[str]:
    """Return the warnings of the stages about the rows, and those that the scores give rise to."""
    known = run.read_json("warnings.json") if run.has("warnings.json") else []
    texts = [warning["text"] for warning in known]
    config = run.config()
    kind = config.task.kind
    if run.has("metrics.json"):
        scores = run.read_json("metrics.json")
        has_targets = kind.has_targets
        texts += _of_scores(scores, kind, config.objective) if has_targets else _of_latent(scores)
    if run.has("baseline.json"):
        texts += _of_baseline(run.read_json("baseline.json"), kind, config.families)
    return texts


def _of_baseline(baseline: dict, kind: Kind, families: dict) -> Iterator[str]:
    """Warn where a linear model is better by the metric of skill."""
    name = kind.skill
    hint = (
        ", though the rows that ranked trials preferred another"
        if BASELINE in families
        else f"; name {BASELINE} in families to let it win"
    )
    for part in UNUSED:
        apart = baseline.get(part, {}).get(name, {}).get("difference")
        if apart and apart["value"] is not None and apart["high"] < 0:
            yield (
                f"On the {part} part a linear model is better (difference of {name} "
                f"{interval(apart)}){hint}."
            )


def _of_latent(scores: dict) -> Iterator[str]:
    """Warn where as many principal components have better scores."""
    for part in UNUSED:
        for name in ("explained", "knn_accuracy"):
            own, beside = (scores.get(part, {}).get(key) for key in (name, f"pca_{name}"))
            if own and beside and own["high"] < beside["low"]:
                yield (
                    f"On the {part} part principal components do better ({name} "
                    f"{interval(beside)} against {interval(own)})."
                )


def _of_scores(scores: dict, kind: Kind, objective: str) -> Iterator[str]:
    """Warn of scores that are perfect, without skill, or below those of validation."""
    name = kind.skill
    for part in UNUSED:
        own = scores.get(part, {}).get(name)
        if own is None or own["value"] is None:
            continue
        if own["value"] >= PERFECT:
            yield (
                f"The {part} score is perfect ({name} {interval(own)}). Where the question is not "
                "known to be easy, look for a gene or a batch that gives the answer away."
            )
        if own["low"] is not None and own["low"] <= 0:
            yield (
                f"The {part} score may be that of {kind.no_skill}: its interval holds 0 "
                f"({name} {interval(own)})."
            )
    mine, before = (scores.get(part, {}).get(objective) for part in ("test", "validation"))
    if mine and before and None not in (mine["value"], before["value"]):
        worse = (
            mine["value"] < before["low"]
            if HIGHER_IS_BETTER[objective]
            else (mine["value"] > before["high"])
        )
        if worse:
            yield (
                f"The test score lies outside the interval of the validation score ({objective} "
                f"{interval(mine)} against {interval(before)}): test samples may differ from the "
                "training samples, or the search fitted the validation part."
            )
