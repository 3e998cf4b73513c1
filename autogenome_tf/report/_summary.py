"""The first section: a card with question, score, verdict and warnings; then data and model."""

import numpy as np

from autogenome_tf.core.files import on_a_line
from autogenome_tf.metrics import CORRECTED, OUTER, in_order, of_target
from autogenome_tf.report import _warnings
from autogenome_tf.report._metrics import (
    NAMES,
    PCA,
    difference,
    meaning_of,
    measured,
    name_of,
)
from autogenome_tf.report._model import is_convex, latent_scores, trials
from autogenome_tf.report._page import Card, Part, Section, Table, listed, number
from autogenome_tf.run import Run
from autogenome_tf.tasks import Classification, Regression, Survival

UNSEEN = {
    "test": "held-out samples",
    "evaluate": "samples of data.evaluate",
    "validation": "validation samples (not trained on, but used to rank trials)",
    OUTER: "samples of outer folds",
    CORRECTED: "validation samples, corrected for the choice of the best trial",
}


def section(run: Run) -> Section:
    """Return the card, then the data and the model in a sentence each."""
    config, names = run.config(), run.model_names()
    scores = _scores(run)
    card = Card(
        _asked(config, names), *_headline(run, scores), _verdict(run, scores), _table(run, scores),
        _warnings.of_run(run),
    )  # fmt: skip
    parts: list[Part] = [card, _data(run, names), f"The final model: {_model(run)}."]
    return Section("summary", "Summary", parts)


def _scores(run):
    """Return the most independent part that is scored, and its metrics; None where none is."""
    scores = run.metrics()
    return (part := in_order(scores)[0], scores[part]) if scores else None


def _asked(config, names):
    if config.task.kind.has_classes:
        asked = config.data.target
        target = asked[0] if isinstance(asked, list) else asked
        target = "class" if target in (None, "*") else target
        classes = [on_a_line(name) for name in names["classes"]]
        return f"Which {on_a_line(target)} does a sample have: {listed(classes, most=12)}?"
    if config.task.kind.has_units:
        return f"How large is {listed([on_a_line(name) for name in names['targets']])}?"
    if config.task.kind.has_times:
        return f"How long until the event ({on_a_line(names['targets'][1])})?"
    if config.task.kind.is_of_several:
        return f"What are {listed([on_a_line(part['name']) for part in names['parts']])}?"
    return "Which few numbers describe a sample?"


def _foremost(kind, own):
    """Return the metrics of the card, the headline first."""
    if kind.has_targets:
        return [*kind.headlines, *(name for name in own if _is_of_card(name))]
    return [name for name in ("explained", "knn_accuracy", "elbo") if name in own]


def _is_of_card(name):
    """Return whether a metric stands for one target of several."""
    target, own = of_target(name)
    headlines = Classification.headlines[-1], Regression.headlines[0], Survival.headlines[0]
    return bool(target) and own in headlines


def _headline(run, scores):
    """Return the headline metric in three pieces: samples, value, interval."""
    if scores is None:
        return ("", "", "")
    part, own = scores
    name = _foremost(run.config().task.kind, own)[0]
    value, _, rest = measured(name, own[name]).partition(" (")
    count = len(_rows_of(run, part))
    on = f"{number(count)} {UNSEEN[part]}" if count else UNSEEN[part]
    title = NAMES[name][:1].upper() + NAMES[name][1:]
    return f"{title} on {on}", value, f"95\u00a0% interval {rest.rstrip(')')}" if rest else ""


def _rows_of(run, part):
    """Return the samples of a part, by predictions.tsv or split.tsv."""
    if part in ("validation", CORRECTED):
        return run.read_arrays("validation.npz")["samples"]
    if part == OUTER:
        return run.read_table("outer.tsv")
    frame = run.predictions() if run.has("predictions.tsv") else run.read_table("split.tsv")
    return frame[frame["part"] == part]


def _table(run, scores):
    """Return the foremost metrics beside those of the baseline; None before they are known."""
    if scores is None:
        return None
    part, own = scores
    kind = run.config().task.kind
    linear = None if part == CORRECTED else _baseline(run, part)
    rows, head = [], ["metric", "model"]
    if kind.has_targets and linear:
        head += ["linear model", "difference"]
    elif not kind.has_targets:
        head.append("principal components")
    for name in _foremost(kind, own):
        row = [name_of(name), measured(name, own[name])]
        if not kind.has_targets:
            row.append(measured(name, own.get(PCA + name)) if PCA + name in own else "–")
        elif linear:
            row += [measured(name, linear[name]), difference(name, linear[name]["difference"])]
        rows.append([*row, meaning_of(name)])
    return Table([*head, "meaning"], rows, left=(0, len(head)))


def _baseline(run, part):
    """Return the baseline's metrics of a part, or None; both models are chosen on validation."""
    return run.baseline_metrics().get("validation" if part == CORRECTED else part)


def _verdict(run, scores):
    """Return the answer in one sentence: against no skill, and against a linear model."""
    if scores is None:
        return (
            "No sample was held out, so there is no score."
            if run.has("metrics.json")
            else "The evaluate stage is not done yet, so there is no score."
        )
    part, own = scores
    kind = run.config().task.kind
    if not kind.has_targets:
        shaped = " Labels of training samples shaped the latent space."
        return _latent_verdict(own, latent_scores(run)) + shaped * (
            run.config().task.labels != "none"
        )
    skill = own[kind.skill]
    if skill["value"] is None:
        return f"{NAMES[kind.skill]} is undefined on these samples, so there is no verdict."
    if skill["low"] <= kind.skill_of_none:
        return f"The model may be no better than {kind.no_skill}."
    subject, linear = "The model is", "a linear model"
    if is_convex(run):
        subject, linear = "The model is itself linear. It is", "the linear baseline"
    better = f"{subject} better than {kind.no_skill}"
    linear_scores = _baseline(run, part)
    if linear_scores is None:
        return f"{better}."
    name = "balanced_accuracy" if kind.has_classes else kind.headlines[0]
    apart = linear_scores[name]["difference"]
    return f"{better}{_against(linear, apart)} (by {NAMES[name]})."


def _against(linear, apart):
    if apart["value"] is None:
        return f", but its difference from {linear} is undefined"
    if apart["low"] > 0:
        return f" and better than {linear}"
    if apart["high"] < 0:
        return f", but {linear} is better still"
    return f", but not clearly different from {linear}"


def _latent_verdict(own, names):
    name = next((name for name in names if PCA + name in own), None)
    if name is None or None in (own[name]["value"], own[PCA + name]["value"]):
        return "The latent space has no score that principal components have too."
    mine, beside = own[name], own[PCA + name]
    if mine["low"] > beside["high"]:
        compared = "better than"
    elif mine["high"] < beside["low"]:
        compared = "worse than"
    else:
        compared = "not clearly different from"
    return (
        f"By {NAMES[name]}, the latent space is {compared} the same number of principal components."
    )


def _data(run, names):
    counts = run.read_table("split.tsv")["part"].value_counts()
    tested = int(counts.get("test", 0))
    genes = len(names["features"]) - names.get("autoencoder", {}).get("covariates", 0)
    matrix = run.read_json("config.json")["data"]["features"]
    source = "the rows given in memory" if matrix == "data.npz" else matrix
    text = f"The data: {number(int(counts.sum()))} samples x {number(genes)} genes, from {source}. "
    if not tested:
        return f"{text}No test part was held out."
    share = f"{100 * tested / counts.sum():.0f}\u00a0%"
    return (
        f"{text}{number(tested)} samples ({share}) were held out as the test part before search "
        "and training."
    )


def _model(run):
    found = trials(run)
    if "trial" in run.read_table("history.tsv"):
        members = [f"trial {line.trial} ({line.family})" for line in found.itertuples()]
        if is_convex(run) and run.config().ensemble.size == 1:
            learners = listed([str(number) for number in found["trial"]])
            return (
                f"the average of {len(found)} linear learners (trials {learners}), each with "
                "the share that its predictions of validation samples speak for"
            )
        return f"the average of the networks of {listed(members)}"
    best = found.iloc[0]
    text = f"trial {best['trial']} of family {best['family']}"
    has_folds = np.isfinite(best["error"])
    if is_convex(run):
        used = "all training samples" if has_folds else "the training part"
        return f"{text}, fitted to its minimum on {used}"
    networks = run.model_names().get("networks", 1)
    if networks > 1:
        text = f"the average of {networks} networks of {text}, which differ in their seed"
    if has_folds:
        return f"{text}, retrained on all training samples for the number of epochs that the " \
            "folds favoured"  # fmt: skip
    return f"{text}, retrained until the validation loss stopped falling"
