"""Warnings of a run: those of its stages about the samples, and those about its scores."""

from collections.abc import Iterator, Mapping, Sequence

from scipy.stats import binomtest

from autogenome_tf.families import BASELINE
from autogenome_tf.metrics import HIGHER_IS_BETTER
from autogenome_tf.report._metrics import NAMES, PCA, difference, measured
from autogenome_tf.report._model import latent_scores
from autogenome_tf.run import Run
from autogenome_tf.tasks import Kind

# Parts that neither training nor search has used.
UNUSED = ("test", "evaluate")
PERFECT = 0.9995


def of_run(run: Run) -> list[str]:
    """Return the warnings of warnings.json, then those about the scores, each text once."""
    known = run.read_json("warnings.json") if run.has("warnings.json") else []
    return list(dict.fromkeys([*(warning["text"] for warning in known), *about_scores(run)]))


def about_scores(run: Run) -> list[str]:
    """Return the warnings about the scores in metrics.json and baseline.json, a text each.

    Args:
        run: A run; without these files there are none.
    """
    texts: list[str] = []
    config = run.config()
    kind = config.task.kind
    if run.has("metrics.json"):
        scores = run.metrics()
        if kind.has_targets:
            has_split = run.has("split.tsv")
            counts = run.read_table("split.tsv")["part"].value_counts() if has_split else {}
            texts += _of_scores(scores, kind, config.objective, counts)
        else:
            texts += _of_latent(scores, latent_scores(run))
    if run.has("baseline.json"):
        texts += _of_baseline(run.baseline_metrics(), kind, config.families)
    # As other lines of the log have them.
    return [text.replace("\u00a0", " ") for text in texts]


def _of_baseline(baseline: dict, kind: Kind, families: dict) -> Iterator[str]:
    """Warn where a linear model is better by the metric of skill."""
    name = kind.skill
    hint = (
        "The samples that rank trials favoured another family."
        if BASELINE in families
        else f"Add {BASELINE} to families, so that it can become the final model."
    )
    for part in UNUSED:
        apart = baseline.get(part, {}).get(name, {}).get("difference")
        if apart and apart["value"] is not None and apart["high"] < 0:
            yield (
                f"On the {part} part a linear model is better (difference of {NAMES[name]} "
                f"{difference(name, apart)}). {hint}"
            )


def _of_latent(scores: dict, names: Sequence[str]) -> Iterator[str]:
    """Warn where as many principal components score better."""
    for part in UNUSED:
        for name in names:
            own, beside = (scores.get(part, {}).get(key) for key in (name, PCA + name))
            if own and beside and own["high"] < beside["low"]:
                yield (
                    f"On the {part} part principal components are better ({NAMES[name]} "
                    f"{measured(name, beside)} against {measured(name, own)})."
                )


def _without_width(own, kind, count):
    """Return a sentence on the bootstrap interval of samples that are all predicted correctly."""
    if own["low"] != own["value"] or not kind.has_classes or not count:
        return ""
    low = binomtest(count, count).proportion_ci(0.95, "wilson").low
    return (
        f" The interval has no width because a bootstrap repeats {count} correct samples; by "
        f"Wilson's interval the accuracy may be as low as {100 * low:.0f}\u00a0%."
    )


def _of_scores(
    scores: dict, kind: Kind, objective: str, counts: Mapping[str, int]
) -> Iterator[str]:
    """Warn of scores that are perfect, without skill, or below those of validation."""
    name = kind.skill
    for part in UNUSED:
        own = scores.get(part, {}).get(name)
        if own is None or own["value"] is None:
            continue
        if own["value"] >= PERFECT:
            yield (
                f"The {part} score is perfect ({NAMES[name]} {measured(name, own)}). Unless the "
                "question is known to be easy, look for a gene or a batch that reveals the answer."
                f"{_without_width(own, kind, counts.get(part))}"
            )
        if own["low"] is not None and own["low"] <= kind.skill_of_none:
            yield (
                f"The {part} score may be that of {kind.no_skill}: its interval includes "
                f"{kind.skill_of_none:g} ({NAMES[name]} {measured(name, own)})."
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
                f"The test score is worse than the interval of the validation score "
                f"({NAMES[objective]} {measured(objective, mine)} against "
                f"{measured(objective, before)}): the test samples may differ from the training "
                "samples, or the search may have overfitted the validation samples."
            )
