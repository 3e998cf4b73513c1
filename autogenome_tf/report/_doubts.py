"""What the scores of a run should be doubted for."""

from autogenome_tf.metrics import HIGHER_IS_BETTER
from autogenome_tf.report._page import interval

# What names a model that tells nothing, by task.
CHANCE = {"classification": ("mcc", "guessing"), "regression": ("r2", "their mean")}
PERFECT = 0.9995


def doubts(run):
    """Warnings of the train stage about the rows, and those that the scores give rise to."""
    known = run.read_json("warnings.json") if run.has("warnings.json") else []
    texts = [warning["text"] for warning in known]
    config = run.config()
    task = config.task.type
    if run.has("metrics.json"):
        scores = run.read_json("metrics.json")
        of_task = _of_scores if config.task.kind.has_targets else _of_latent
        texts += of_task(scores, task, config.objective)
    if run.has("baseline.json"):
        texts += _of_baseline(run.read_json("baseline.json"), task, config.families)
    return texts


def _of_baseline(baseline, task, families):
    """Whether a linear model is the better one, by the foremost metric."""
    name = CHANCE[task][0]
    hint = (
        ", though the rows that ranked trials preferred another"
        if "linear" in families
        else "; name linear in families to let it win"
    )
    for part in ("test", "evaluate"):
        apart = baseline.get(part, {}).get(name, {}).get("difference")
        if apart and apart["value"] is not None and apart["high"] < 0:
            yield (
                f"On the {part} part a linear model is better (difference of {name} "
                f"{interval(apart)}){hint}."
            )


def _of_latent(scores, *_):
    """Where principal components of the same number tell more."""
    for part in ("test", "evaluate"):
        for name in ("explained", "knn_accuracy"):
            own, beside = (scores.get(part, {}).get(key) for key in (name, f"pca_{name}"))
            if own and beside and own["high"] < beside["low"]:
                yield (
                    f"On the {part} part principal components do better ({name} "
                    f"{interval(beside)} against {interval(own)})."
                )


def _of_scores(scores, task, objective):
    name, other = CHANCE[task]
    for part in ("test", "evaluate"):
        own = scores.get(part, {}).get(name)
        if own is None or own["value"] is None:
            continue
        if own["value"] >= PERFECT:
            yield (
                f"The {part} score is perfect ({name} {interval(own)}). Where the question is not "
                "known to be easy, look for a gene or a batch that gives the answer away."
            )
        if own["low"] is not None and own["low"] <= 0:
            yield (f"The {part} score cannot be told from {other} ({name} {interval(own)}).")
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
                f"{interval(mine)} against {interval(before)}): test samples may differ from those "
                "learned from, or the search fitted the validation part."
            )
