"""What was asked, of which data, and the answer in a few sentences."""

import numpy as np

from autogenome_tf.core.files import on_a_line
from autogenome_tf.metrics import in_order
from autogenome_tf.report._doubts import doubts
from autogenome_tf.report._page import Section, Warnings, interval, listed, number

UNSEEN = {
    "test": "samples held out from search and training",
    "evaluate": "samples of a further file (data.evaluate)",
    "validation": "samples that its networks had not learned from, but that chose among them",
}


def section(run):
    """The first section: question, data, answer, doubts."""
    config, names = run.config(), run.model_names()
    counts = run.read_table("split.tsv")["part"].value_counts()
    held = int(counts.get("test", 0))
    covariates = names.get("autoencoder", {}).get("covariates", 0)
    genes = len(names["features"]) - covariates
    matrix = run.read_json("config.json")["data"]["features"]
    source = "the rows given in memory" if matrix == "data.npz" else matrix
    text = (
        f"{_asked(config, names)} The data: {number(int(counts.sum()))} samples x {number(genes)} "
        f"genes, {source}. "
    )
    text += (
        f"{number(held)} samples ({100 * held / counts.sum():.0f}\u00a0%) were held out as test "
        "part before anything else was done."
        if held
        else "No test part was held out."
    )
    parts = [text, *_answer(run, config), f"The model: {_model(run, config)}."]
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
    return "Which few numbers tell what a sample is like?"


def _answer(run, config):
    """The foremost scores on the most telling part; nothing before the evaluate stage."""
    if not run.has("metrics.json"):
        return
    scores = run.read_json("metrics.json")
    if not scores:
        yield "Every sample was learned from, so none is left to be scored."
        return
    part = in_order(scores)[0]
    own = scores[part]
    if not config.task.kind.has_targets:
        yield _latent_answer(own, UNSEEN[part])
        return
    count = len(_rows_of(run, part))
    of = f"On {number(count)} {UNSEEN[part]}, " if count else f"On {UNSEEN[part]}, "
    if config.task.kind.has_classes:
        right = own["accuracy"]["value"]
        text = f"{of}it tells {100 * right:.1f}\u00a0% right (balanced accuracy "
        name = "balanced_accuracy"
    else:
        text, name = f"{of}predictions explain part of the variance (R2 ", "r2"
    text += f"{interval(own[name])}, 95\u00a0% interval)."
    if run.has("baseline.json"):
        text += f" {_beside(run.read_json('baseline.json')[part][name])}"
    yield text


def _rows_of(run, part):
    """Samples of a part, where predictions.tsv or split.tsv tells."""
    if part == "validation":
        return run.read_arrays("validation.npz")["samples"]
    table = "predictions.tsv" if run.has("predictions.tsv") else "split.tsv"
    frame = run.read_table(table)
    return frame[frame["part"] == part]


def _beside(linear):
    apart = linear["difference"]
    if apart["value"] is None:
        return ""
    told = f"A linear model has {interval(linear)}; the difference is {interval(apart)}: "
    if apart["low"] > 0:
        return f"{told}the networks are better."
    if apart["high"] < 0:
        return f"{told}the linear model is better."
    return f"{told}these samples do not tell the two apart."


def _latent_answer(own, where):
    text = f"On {where}, the bound of the log likelihood is {interval(own['elbo'])} nats a sample"
    if "explained" in own:
        text += f"; {interval(own['explained'])} of the variance is told again"
        text += f" (by as many principal components {interval(own['pca_explained'])})"
    if "knn_accuracy" in own:
        text += f". The nearest neighbours tell the label of {interval(own['knn_accuracy'])}"
        text += f" (among principal components {interval(own['pca_knn_accuracy'])})"
    return f"{text}."


def _model(run, config):
    board = run.read_table("leaderboard.tsv")
    history = run.read_table("history.tsv")
    if "trial" in history:
        families = board.set_index("trial")["family"]
        members = [f"trial {n} ({families[n]})" for n in dict.fromkeys(history["trial"])]
        return f"an average of the networks of {listed(members)}"
    best = board[board["family"].isin(config.families)].iloc[0]
    told = f"trial {best['trial']} of family {best['family']}"
    if best["family"] == "linear":
        learned = "all samples to learn from" if np.isfinite(best["error"]) else "the training part"
        return f"{told}, solved to its minimum on {learned}"
    if np.isfinite(best["error"]):
        return f"{told}, trained anew on all samples to learn from for as long as folds had gained"
    return f"{told}, trained anew for as long as the validation part gained"
