"""Scores on unseen samples, beside a linear model."""

import math

import numpy as np
import sklearn.metrics

from autogenome_tf import plots
from autogenome_tf.core.files import on_a_line
from autogenome_tf.metrics import CORRECTED, OUTER, PERMUTATION, in_order, of_target, sign
from autogenome_tf.report import _outer
from autogenome_tf.report._metrics import NAMES, difference, meaning_of, measured, name_of
from autogenome_tf.report._model import is_convex
from autogenome_tf.report._page import Part, Section, Table, listed, number, pictures
from autogenome_tf.run import Run
from autogenome_tf.tasks import NOVEL

CAPTIONS = {
    "test": "Test part: samples that neither search nor training has used.",
    "evaluate": "Samples of data.evaluate, which neither search nor training has used.",
    OUTER: "Outer folds: samples that the run of their fold has not used, of all samples to learn "
    "from. Mean over folds with its 95\u00a0% interval.",
    CORRECTED: "Validation part, corrected for the choice of the best trial: samples are drawn "
    "with replacement, the trial is chosen on those drawn and scored on the others. Mean and "
    "95\u00a0% interval over draws.",
    "validation": "Validation part: samples not trained on, but used to rank trials.",
}


def section(run: Run) -> Section | None:
    """Return metrics beside the baseline's, then each class or target, and pictures."""
    task = run.config().task.kind
    if not run.has("metrics.json") or not task.has_targets:
        return None
    scores, baseline = run.metrics(), run.baseline_metrics()
    text = "Intervals are 95\u00a0% bootstrap intervals over samples. "
    if baseline:
        text += (
            "The linear model (logistic, ridge or Cox regression, its penalty chosen by the same "
            "folds) "
            "was trained on the same samples. Differences are model minus linear model, on the "
            "same resamples: where the interval does not include 0, the difference is beyond "
            "chance."
        )
    if weight := run.config().data.weight:
        text += (
            f" Metrics count samples by their weights, the column {on_a_line(weight)}; figures, "
            "and the tables of each class or target, count all samples alike."
        )
    if is_convex(run):
        text += " The final model is itself linear."
    parts: list[Part | None] = [text]
    for part in in_order(scores):
        parts += _metrics(part, scores[part], baseline.get(part))
    parts += pictures(run, "scores")
    if run.has("coverage.tsv"):
        parts.append(_coverage(run.read_table("coverage.tsv"), task, run.model_names()))
    parts += _outer.parts(run)
    if PERMUTATION in scores:
        parts.append(_permutation(scores[PERMUTATION]))
    if run.has("sites.tsv"):
        parts.append(_sites(run.read_table("sites.tsv"), task))
    if run.has("predictions.tsv"):
        part, frame = plots.unseen(run)
        if task.has_classes:
            parts.append(_classes(part, frame))
            parts.append(_novel(run.predictions()))
        elif task.has_units:
            parts.append(_targets(part, frame))
        parts += pictures(run, "predictions")
    return Section("scores", "Scores", [part for part in parts if part])


def _coverage(frame, task, names):
    """Return the table of the coverage of prediction sets or intervals."""
    fit = names.get("conformal", {})
    kind, of, size = "set", "class", "mean number of classes"
    if not task.has_classes:
        kind, of, size = "interval", "value", "mean width"
    rows = [
        [
            line["part"], f"{100 * line['coverage']:g}\u00a0%", on_a_line(line["output"]),
            number(line["rows"]), measured("coverage", line | {"value": line["covered"]}),
            number(line["size"]),
        ]
        for line in frame[frame["rows"] > 0].to_dict("records")
    ]  # fmt: skip
    head = ["part", "asked", "class" if task.has_classes else "target", "samples", "covered", size]
    caption = (
        f"Prediction {kind}s: the share of samples whose {kind} holds the true {of} (95\u00a0% "
        f"interval) should be near the share asked for. Small {kind}s mean certain predictions; "
        "predictions.tsv has those of every sample."
    )
    if "difficulty" in fit:
        caption += " Widths follow the predicted value, since errors do."
    if task.has_classes and fit:
        caption += _in_every_set(names["classes"], fit)
    return Table(head, rows, caption, left=(0, 1, 2))


def _in_every_set(classes, fit):
    """Return a sentence on classes of too few samples to be left out of a set; "" without any."""
    coverage = max(fit["coverage"])
    # The smallest p-value of a class of n samples is 1 / (n + 1).
    needed = math.ceil(round(1 / (1 - coverage) - 1, 6))
    kept = zip(classes, fit["kept"], strict=True)
    small = [on_a_line(name) for name, own in kept if len(own) < needed]
    if not small:
        return ""
    return (
        f" At {100 * coverage:g}\u00a0% a class with fewer than {needed} training samples cannot "
        f"be excluded, so it is in every set: {listed(small)}."
    )


def _novel(frame):
    """Return in one sentence how many samples are unlike all training samples."""
    new = frame[~frame["part"].isin(["train", "validation"])]
    if "novelty_p" not in frame or not len(new):
        return None
    counts = [
        f"{(own['novelty_p'] < NOVEL).sum()} of {len(own)} ({part})"
        for part, own in new.groupby("part", sort=False)
    ]
    advice = " Do not trust their predictions." if (new["novelty_p"] < NOVEL).any() else ""
    return (
        f"Unlike all training samples (novelty_p in predictions.tsv below {NOVEL:g}): "
        f"{', '.join(counts)}; about 1\u00a0% are expected.{advice}"
    )


def _permutation(found):
    """Return the permutation test in one sentence; None where no metric is defined."""
    known = {name: test for name, test in found.items() if test["value"] is not None}
    if not known:
        return None
    count = max(test["permutations"] for test in known.values())
    each = "; ".join(
        f"{NAMES[name]} {test['value']:.3f}, with permuted targets {test['low']:.3f} to "
        f"{test['high']:.3f} (p\u00a0{test['p']:.2g})"
        for name, test in known.items()
    )
    return (
        f"Permutation test: the best trial was also trained on targets in {count} other orders. "
        f"Validation: {each}."
    )


def _sites(frame, task):
    """Return the headline metrics of each level of each column of `data.sites`."""
    metrics = list(task.headlines)
    rows = []
    for key, own in frame.groupby(["column", "part", "level"], sort=False):
        lines = own.set_index("metric")
        worst = lines["p"].dropna()
        rows.append(
            [
                *(on_a_line(text) for text in key), number(int(own["rows"].iloc[0])),
                *(measured(name, _known(lines.loc[name])) for name in metrics),
                f"worst, p\u00a0{worst.iloc[0]:.2g}" if len(worst) else "",
            ]
        )  # fmt: skip
    head = ["column", "part", "level", "samples", *(NAMES[name] for name in metrics), "gap"]
    caption = (
        "Each site (data.sites). Left out: networks that have seen no sample of the level, as for "
        "a new site. p is how often chance makes a level as bad as the worst."
    )
    return Table(head, rows, caption, left=(0, 1, 2, len(head) - 1))


def _known(line):
    """Return a metric of a table as metrics.json has it."""
    is_known = bool(np.isfinite(line["value"]))
    return {key: line[key] if is_known else None for key in ("value", "low", "high")}


def _metrics(part, own, linear):
    """Return a table of metrics; of several targets the mean over them, then a table for each."""
    found = {}
    for name in own:
        found.setdefault(of_target(name)[0], []).append(name)
    tables = []
    for target, names in found.items():
        caption = f"{on_a_line(target)}: samples of the {part} part that have it."
        known = {name: own[name] for name in names}
        tables.append(_of_target(known, linear, caption if target else CAPTIONS[part]))
    return tables


def _of_target(own, linear, caption):
    head = ["metric", "model", *(["linear model", "difference"] if linear else []), "meaning"]
    rows = []
    for name, metric in own.items():
        row = [name_of(name), measured(name, metric)]
        if linear:
            row += [measured(name, linear[name]), _difference(linear[name]["difference"], name)]
        rows.append([*row, meaning_of(name)])
    return Table(head, rows, caption, left=(0, len(head) - 1))


def _difference(apart, name):
    if apart["value"] is None:
        return difference(name, apart)
    gains = sign(of_target(name)[1]) * sum((apart["low"] > 0, -(apart["high"] < 0)))
    return difference(name, apart) + {1: ", better", 0: "", -1: ", worse"}[gains]


def _classes(part, frame):
    """Return precision, recall and areas of each class, the hardest first."""
    targets, predicted = frame["target"].to_numpy(), frame["prediction"].to_numpy()
    names = [name.removeprefix("p_") for name in frame if name.startswith("p_")]
    by_class = sklearn.metrics.precision_recall_fscore_support(
        targets, predicted, labels=names, zero_division=np.nan
    )
    rows = []
    for name, precision, recall, f1, count in zip(names, *by_class, strict=True):
        is_it, probability = targets == name, frame[f"p_{name}"]
        area = average = None
        if 0 < count < len(frame):
            area = float(sklearn.metrics.roc_auc_score(is_it, probability))
            average = float(sklearn.metrics.average_precision_score(is_it, probability))
        measures = [float(value) for value in (recall, precision, f1)]
        rows.append([name, int(count), *measures, area, average])
    rows.sort(key=lambda row: (not np.isfinite(row[2]), row[2]))
    head = ["class", "samples", "recall", "precision", "F1", "ROC AUC", "average precision"]
    shown = [[on_a_line(row[0]), *(number(value) for value in row[1:])] for row in rows]
    return Table(
        head, shown, f"Each class in the {part} part, the one with the lowest recall first."
    )


def _targets(part, frame):
    """Return the scores of each target by itself, where there are several."""
    names = [name.removeprefix("target_") for name in frame if name.startswith("target_")]
    if len(names) < 2:
        return None
    rows = []
    for name in names:
        known = frame[[f"target_{name}", f"prediction_{name}"]].dropna()
        if len(known) < 2:
            continue
        true, predicted = known.to_numpy(float).T
        rows.append(
            [
                on_a_line(name), number(float(sklearn.metrics.r2_score(true, predicted))),
                number(float(np.corrcoef(true, predicted)[0, 1])),
                number(float(sklearn.metrics.root_mean_squared_error(true, predicted))),
            ]
        )  # fmt: skip
    return Table(["target", "R²", "Pearson r", "RMSE"], rows, f"Each target in the {part} part.")
