"""The question, the data, and the answer in a few sentences."""

import numpy as np

from autogenome_tf.core.files import on_a_line
from autogenome_tf.metrics import in_order
from autogenome_tf.report._doubts import doubts
from autogenome_tf.report._model import is_convex, trials
from autogenome_tf.report._page import Part, Section, Warnings, interval, listed, number
from autogenome_tf.run import Run

UNSEEN = {
    "test": "held-out samples",
    "evaluate": "samples of data.evaluate",
    "validation": "validation samples (not trained on, but trials were ranked by them)",
}


def section(run: Run) -> Section:
    """Return the first section: question, data, answer, warnings."""
    config, names = run.config(), run.model_names()
    counts = run.read_table("split.tsv")["part"].value_counts()
    tested = int(counts.get("test", 0))
    covariates = names.get("autoencoder", {}).get("covariates", 0)
    genes = len(names["features"]) - covariates
    matrix = run.read_json("config.json")["data"]["features"]
    source = "the rows given in memory" if matrix == "data.npz" else matrix
    text = (
        f"{_asked(config, names)} The data: {number(int(counts.sum()))} samples x {number(genes)} "
        f"genes, {source}. "
    )
    text += (
        f"{number(tested)} samples ({100 * tested / counts.sum():.0f}\u00a0%) were held out as the "
        "test part before search and training."
        if tested
        else "No test part was held out."
    )
    parts: list[Part] = [text, *_answer(run, config), f"The model: {_model(run)}."]
    return Section("question", "Question and answer", [*parts, Warnings(doubts(run))])


def _asked(config, names):
    if config.task.kind.has_classes:
        asked = config.data.target
        target = asked[0] if isinstance(asked, list) else asked
        target = "class" if target in (None, "*") else target
        classes = [on_a_line(name) for name in names["classes"]]
        return f"Which {on_a_line(target)} does a sample have: {listed(classes, most=12)}?"
    if config.task.kind.has_units:
        return f"How large is {listed([on_a_line(name) for name in names['targets']])}?"
    return "Which few numbers describe a sample?"


def _answer(run, config):
    """Yield the foremost scores on the first part of `in_order`, once they are known."""
    if not run.has("metrics.json"):
        return
    scores = run.read_json("metrics.json")
    if not scores:
        yield "Every sample was trained on, so none is left to be scored."
        return
    part = in_order(scores)[0]
    own = scores[part]
    if not config.task.kind.has_targets:
        yield _latent_answer(own, UNSEEN[part])
        return
    count = len(_rows_of(run, part))
    on = f"on {number(count)} {UNSEEN[part]}" if count else f"on {UNSEEN[part]}"
    name = "balanced_accuracy" if config.task.kind.has_classes else "r2"
    if config.task.kind.has_classes:
        text = (
            f"Accuracy {on}: {_percent(own['accuracy'])}; balanced accuracy {interval(own[name])}."
        )
    else:
        text = f"R2 {on}: {interval(own[name])}, with a 95\u00a0% interval."
    if run.has("baseline.json"):
        text += f" {_beside(run.read_json('baseline.json')[part][name])}"
    yield text


def _percent(metric):
    value, low, high = (f"{100 * metric[key]:.1f}" for key in ("value", "low", "high"))
    return f"{value}\u00a0% (95\u00a0% interval {low} to {high})"


def _rows_of(run, part):
    """Return the samples of a part, by predictions.tsv or split.tsv."""
    if part == "validation":
        return run.read_arrays("validation.npz")["samples"]
    table = "predictions.tsv" if run.has("predictions.tsv") else "split.tsv"
    frame = run.read_table(table)
    return frame[frame["part"] == part]


def _beside(linear):
    apart = linear["difference"]
    if apart["value"] is None:
        return ""
    text = f"A linear model has {interval(linear)}; the difference is {interval(apart)}: "
    if apart["low"] > 0:
        return f"{text}the networks are better."
    if apart["high"] < 0:
        return f"{text}the linear model is better."
    return f"{text}on these samples it may be chance."


def _latent_answer(own, on):
    texts = [f"On {on}, the evidence lower bound is {interval(own['elbo'])} nats a sample."]
    if "explained" in own:
        texts.append(
            f"The reconstruction explains {interval(own['explained'])} of the variance; as many "
            f"principal components explain {interval(own['pca_explained'])}."
        )
    if "knn_accuracy" in own:
        texts.append(
            f"The nearest neighbours have the label of {interval(own['knn_accuracy'])} of samples; "
            f"among principal components, of {interval(own['pca_knn_accuracy'])}."
        )
    return " ".join(texts)


def _model(run):
    found = trials(run)
    if "trial" in run.read_table("history.tsv"):
        members = [f"trial {line.trial} ({line.family})" for line in found.itertuples()]
        return f"an average of the networks of {listed(members)}"
    best = found.iloc[0]
    text, has_folds = (
        f"trial {best['trial']} of family {best['family']}",
        np.isfinite(best["error"]),
    )
    if is_convex(run):
        used = "all training samples" if has_folds else "the training part"
        return f"{text}, solved to its minimum on {used}"
    if has_folds:
        return f"{text}, trained again on all training samples, for as long as the folds gained"
    return f"{text}, trained again for as long as the validation part gained"
