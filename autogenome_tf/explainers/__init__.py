"""The open room of explainers: a module with `attribute(network, rows, background)` is a member.

An explainer looks at a network behind its preprocessing, which keeps one value per gene, and always
at its logits or values. Where it is not defined for a layer it raises `Unexplained`.
"""

import dataclasses
import functools
import importlib
import itertools
import logging
import pkgutil

import numpy as np
import pandas as pd

from autogenome_tf.errors import InputError, StageError, unknown
from autogenome_tf.explainers._rule import Unexplained

__all__ = ["Attributions", "Unexplained", "explain", "names", "stability"]

log = logging.getLogger(__name__)

# What `auto` tries, best first.
AUTO = ("fast_deep_shap", "deep_shap", "gradient")
# Attributions must add up to outputs minus base values, up to this part of their largest.
TOLERANCE = {"gradient": 1e-2}
USUAL_TOLERANCE = 1e-3
BATCH = 256


@functools.cache
def names():
    """List the members, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


@dataclasses.dataclass(frozen=True)
class Attributions:
    """What each gene contributes to each output, for each explained row.

    Attributes:
        values: (samples, features, outputs) float32, in units of the outputs.
        base_values: (outputs,) what the contributions are added to: the mean output of the
            background.
        data: (samples, features) raw values of the explained rows.
        samples: Sample ids.
        features: Gene names.
        outputs: Names of classes or targets.
        method: Name of the explainer.
    """

    values: np.ndarray
    base_values: np.ndarray
    data: np.ndarray
    samples: list
    features: list
    outputs: list
    method: str

    def table(self):
        """The rows of attributions.tsv: feature, rank, total, then mean |value| an output."""
        means = np.abs(self.values).mean(axis=0, dtype="float64")
        frame = pd.DataFrame(means, columns=[str(name) for name in self.outputs])
        frame.insert(0, "total", means.sum(axis=1))
        frame.insert(0, "feature", list(self.features))
        frame = frame.sort_values(["total", "feature"], ascending=[False, True], kind="stable")
        frame.insert(1, "rank", np.arange(1, len(frame) + 1))
        return frame.reset_index(drop=True)

    def explanation(self):
        """The same as a `shap.Explanation`, base values filled, for shap's own plots."""
        import shap

        return shap.Explanation(
            values=self.values,
            base_values=np.tile(self.base_values, (len(self.values), 1)),
            data=self.data,
            feature_names=list(self.features),
            output_names=[str(name) for name in self.outputs],
        )


def stability(found, top):
    """How far attributions of one model trained with several seeds agree.

    Args:
        found: `Attributions` of the same rows, one a seed.
        top: Length of the lists of foremost genes that are compared.

    Returns:
        A frame, best first: feature, mean and sd of the total mean absolute contribution, rank_low
        and rank_high over seeds, in_top (share of seeds whose list it is in); and the mean Jaccard
        index of two seeds' lists.
    """
    tables = [one.table().set_index("feature") for one in found]
    order = list(found[0].features)
    totals = np.stack([table["total"].loc[order] for table in tables])
    ranks = np.stack([table["rank"].loc[order] for table in tables])
    frame = pd.DataFrame(
        {
            "feature": order,
            "mean": totals.mean(axis=0),
            "sd": totals.std(axis=0, ddof=1),
            "rank_low": ranks.min(axis=0),
            "rank_high": ranks.max(axis=0),
            "in_top": (ranks <= top).mean(axis=0),
        }
    )
    lists = [set(np.flatnonzero(own <= top)) for own in ranks]
    pairs = itertools.combinations(lists, 2)
    jaccard = np.mean([len(one & other) / len(one | other) for one, other in pairs])
    frame = frame.sort_values(["mean", "feature"], ascending=[False, True], kind="stable")
    return frame.reset_index(drop=True), float(jaccard)


def explain(predictor, rows, background, method="auto"):
    """Attribute the outputs of a predictor for some rows to genes.

    Args:
        predictor: A `predictor.Predictor`.
        rows: A `Dataset` of rows to explain, in the model's gene order.
        background: (rows, genes) raw values of rows that stand for "nothing known".
        method: A member's name, or "auto": the first of `AUTO` that is defined on all layers.

    Returns:
        `Attributions` of calibrated logits, or of values in original units.

    Raises:
        InputError: For an unknown method, or one that is not defined on the model.
        StageError: Where attributions do not add up.
    """
    if method not in ("auto", *names()):
        raise unknown("explanation.method", method, ("auto", *names()))
    raw = _dense(rows.values)
    for name in AUTO if method == "auto" else (method,):
        try:
            values, base = _attributed(predictor, raw, _dense(background), name)
        except Unexplained as error:
            if method != "auto" or name == AUTO[-1]:
                raise InputError(f"explanation.method: {name}: {error}") from None
            log.info("explanation: %s cannot be used: %s", name, error)
            continue
        found = Attributions(
            values, base, raw, list(rows.samples), predictor.features,
            predictor.task.output_names, name,
        )  # fmt: skip
        _check(predictor, found)
        return found
    raise AssertionError("AUTO is empty")


def _attributed(predictor, raw, background, name):
    """(samples, features, outputs) and (outputs,) in units of the outputs."""
    module = importlib.import_module(f"{__name__}.{name}")
    scale, offset = predictor.output_scale
    total = np.zeros((len(raw), len(predictor.features), len(scale)), "float32")
    base = np.zeros(len(scale))
    for branch in predictor.branches:
        reference = background
        if getattr(module, "AGAINST_ZERO", False):
            if branch.transform == "clr":
                raise Unexplained("a gene of no expression has no value of its own after clr")
            reference = np.zeros((1, raw.shape[1]), "float32")
        seen = [_run(branch.preprocessing, part) for part in (raw, reference, background)]
        values = module.attribute(branch.network, *seen[:2])
        total[:, branch.kept] += values * scale
        base += _run(branch.network, seen[2]).mean(axis=0, dtype="float64") * scale
    return total, (base + offset).astype("float32")


def _check(predictor, found):
    """Refuse attributions that do not add up, where their method says they do."""
    if found.method == "knockout":
        return
    expected = predictor.outputs(found.data) - found.base_values
    wrong = np.abs(found.values.sum(axis=1, dtype="float64") - expected).max()
    largest = max(np.abs(expected).max(), 1e-6)
    if not wrong <= TOLERANCE.get(found.method, USUAL_TOLERANCE) * largest:
        raise StageError(
            f"explanation: {found.method} does not add up: contributions miss the outputs by up to "
            f"{wrong:.3g} of {largest:.3g}; layers of the network: {_layers(predictor)}."
        )


def _layers(predictor):
    kinds = [type(layer).__name__ for one in predictor.branches for layer in one.network.layers]
    return ", ".join(dict.fromkeys(kinds))


def _run(model, values):
    batches = (values[start : start + BATCH] for start in range(0, len(values), BATCH))
    return np.concatenate([np.asarray(model(batch, training=False)) for batch in batches])


def _dense(values):
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, "float32")
