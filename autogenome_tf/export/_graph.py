"""A fitted model as a graph of TensorFlow alone: checked raw values in, named results out.

Every signature's inputs and outputs have the rows first, as TensorFlow Serving's REST needs it.
"""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from autogenome_tf.export._scale import outside
from autogenome_tf.models import CLASS, ONLY, RISK, SOFTMAX, SURVIVAL, PartAnswer, Predictor
from autogenome_tf.nn.graphs import compiled, without_gaps

# Most names that an error gives.
SHOWN = 5


class Served(tf.Module):
    """Hold the functions of a predictor and their variables, to be written as a SavedModel.

    Args:
        predictor: A `Predictor` or a `LatentModel`.
        parts: The modules of `explainers.in_graph`, or None for no explanations.
        base: (outputs,) base values of explanations.
        assets: Paths of files that travel with it.
    """

    def __init__(
        self,
        predictor: Predictor,
        parts: list | None = None,
        base: Any = None,
        assets: Iterable[Path] = (),
    ):
        super().__init__(name="autogenome_tf")
        self._predictor, self._parts, self._base = predictor, parts, base
        self._weights = [variable.value for variable in predictor.model.variables]
        self._assets = [tf.saved_model.Asset(str(path)) for path in assets]
        self._names = tf.constant(predictor.features)
        shares = predictor.importance
        # Where it is not known, no gene may lack.
        known = np.ones(len(predictor.features)) if shares is None else shares
        self._importance = tf.constant(known, tf.float32)
        places = tf.range(len(predictor.features), dtype=tf.int64)
        self._places = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(self._names, places), -1
        )
        # Functions for all signatures, so that the network is not in the graph for each.
        rows = (None, len(predictor.features)), tf.float32
        self._run = compiled(lambda values: predictor.model(values, training=False), rows)
        self._run_complete = compiled(functools.partial(without_gaps, predictor.model), rows)

    def signatures(self) -> dict[str, Any]:
        """Return concrete functions by name.

        The input is values (rows, genes), raw float32, genes in the order of training, where
        nothing else is said.

        - serving_default returns what the task predicts. Of classification: probabilities (rows,
          classes) and prediction (rows,), names of classes. Of regression: prediction (rows,
          targets) in original units. Of survival: risk (rows, 1), the log-risk, and survival
          (rows, times), the probability of no event until each of the `times`. Of a
          representation: latent (rows, units) and reconstruction. Of targets of several kinds each
          name begins with that of its target, such as type_probabilities.
        - serving_float64: the same with values and results as float64.
        - predict_genes: the same for genes (given,), names in any order, and values (rows, given).
        - logits, of classification: logits (rows, classes).
        - encoder, of a representation: latent and log_variance (rows, units).
        - prediction_set, of classification: p_value (rows, classes); prediction_set (rows,
          classes), whether each class belongs to the set of the first `evaluation.coverage`;
          novelty_p (rows,).
        - prediction_interval, of regression: low and high (rows, targets).
        - scale: for the inputs of predict_genes, outside (rows,), the distance from the range of
          training rows.
        - explain, where the rescale rule is defined: attributions (rows, genes, outputs) and
          base_values (rows, outputs). Over genes, attributions add up to logits, values or latent
          means less base_values.
        """
        matrix = {"values": tf.TensorSpec((None, None), tf.float32)}
        named = {"genes": tf.TensorSpec((None,), tf.string)} | matrix
        double = {"values": tf.TensorSpec((None, None), tf.float64)}
        found = {name: (self._answering(name), matrix) for name in self._predictor.answers}
        found |= {
            "serving_float64": (self._predict_double, double),
            "predict_genes": (self._predict_genes, named),
        }
        if self._predictor.trained_on:
            found["scale"] = self._comparing(self._predictor.trained_on), named
        if self._predictor.conformal:
            conformal = self._predictor.conformal
            found[conformal.signature] = self._with_coverage(conformal), matrix
        if self._parts:
            found["explain"] = self._explain, matrix
        return {
            name: tf.function(function, autograph=False).get_concrete_function(**inputs)
            for name, (function, inputs) in found.items()
        }

    def _answering(self, name):
        return lambda values: answer(self._predictor, name, self._outputs(values))

    def _predict(self, values):
        return self._answering("serving_default")(values)

    def _predict_double(self, values):
        found = self._predict(tf.cast(values, tf.float32))
        return {
            name: part if part.dtype == tf.string else tf.cast(part, tf.float64)
            for name, part in found.items()
        }

    def _predict_genes(self, genes, values):
        outputs = self._outputs(*self._aligned(genes, values))
        return answer(self._predictor, "serving_default", outputs)

    def _with_coverage(self, conformal):
        return lambda values: conformal.in_graph(self._outputs(values))

    def _comparing(self, known):
        def compare(genes, values):
            values = self._checked(*self._aligned(genes, values))
            return {"outside": outside(self._predictor, known, values)}

        return compare

    def _explain(self, values):
        values = self._checked(values)
        scale, _ = self._predictor.output_scale
        genes, found = len(self._predictor.features), 0.0
        for branch, part in zip(self._predictor.branches, self._parts or (), strict=True):
            own = part(branch.preprocessing(values, training=False))
            if len(branch.kept) < genes:
                # A gene that is not kept takes the row of zeros at the end.
                places = np.full(genes, len(branch.kept))
                places[branch.kept] = np.arange(len(branch.kept))
                own = tf.gather(tf.pad(own, [[0, 0], [0, 1], [0, 0]]), places, axis=1)
            found += own * scale.astype("float32")
        base = tf.tile(self._base[None], [tf.shape(values)[0], 1])
        explained = {"attributions": found, "base_values": base}
        means = self._predictor.task.means
        if means is not None:
            return {name: means.averaged(one) for name, one in explained.items()}
        return explained

    def _outputs(self, values, lacking=False):
        """Run the model on values (rows, genes), or fail where it is not defined for them.

        Two totals tell whether each value is known and inside, much faster than a look at each.
        """
        values = self._of_all_genes(values)
        return tf.cond(
            _is_surely_inside(self._predictor, values),
            lambda: self._run_complete(values),
            lambda: self._run(self._known(values, lacking)),
        )

    def _of_all_genes(self, values):
        """Return values with as many columns as genes, or fail."""
        genes, given = len(self._predictor.features), tf.shape(values)[1]
        asked = f"{genes}, the genes of training in their order"
        with _required(given == genes, "values: ", given, f" columns; expected {asked}."):
            return tf.ensure_shape(values, (None, genes))

    def _checked(self, values, lacking=False):
        """Return values (rows, genes), or fail where the model is not defined for them.

        Args:
            values: (rows, genes) raw.
            lacking: (genes,) columns of missing values for genes that rows lack.
        """
        return self._known(self._of_all_genes(values), lacking)

    def _known(self, values, lacking):
        """Return values of all genes, or fail with the place of the first that is not allowed."""
        wrong, expected = _outside(self._predictor)
        place = tf.where(wrong(values) & tf.logical_not(lacking))[:1]
        with _required(
            tf.size(place) == 0,
            "values: row ", place[:, 0] + 1, ", gene ", tf.gather(self._names, place[:, 1]),
            ": received ", tf.gather_nd(values, place), f"; expected {expected}.",
        ):  # fmt: skip
            return tf.identity(values)

    def _aligned(self, genes, values):
        """Bring columns of `genes` into the order of training; extra ones are left out.

        Genes that lack are missing values, up to the share of the importance that they may have.

        Returns:
            Values (rows, genes) and which of the genes lack, (genes,).
        """
        count, given = len(self._predictor.features), tf.shape(values)[1]
        with _required(
            given == tf.size(genes),
            "values: ", given, " columns; expected as many as genes: ", tf.size(genes), ".",
        ):  # fmt: skip
            known = self._places.lookup(genes)
        found = tf.where(known >= 0)[:, 0]
        places = tf.gather(known, found)
        times = tf.math.unsorted_segment_sum(tf.ones_like(places), places, count)
        lacking, twice = times == 0, self._names[times > 1]
        share = tf.reduce_sum(tf.where(lacking, self._importance, 0.0))
        limit = self._predictor.may_lack
        may_lack = (share <= limit) if limit else ~tf.reduce_any(lacking)
        with (
            _required(
                may_lack,
                "genes: ", tf.size(self._names[lacking]), f" of the {count} genes of training are "
                "missing: ", _some(self._names[lacking]), ".", *self._allowed(share),
            ),
            _required(tf.size(twice) == 0, "genes: given more than once: ", _some(twice), "."),
        ):  # fmt: skip
            columns = tf.scatter_nd(places[:, None], found, (count,))
        return tf.where(lacking, np.nan, tf.gather(values, columns, axis=1)), lacking

    def _allowed(self, share):
        """Return the share of genes that lack and the share that may, in words."""
        if self._predictor.importance is None:
            return ()
        limit = 100 * self._predictor.may_lack
        return (
            " They have ", tf.strings.as_string(100 * share, precision=1), " % of the model's "
            f"importance; data.missing_genes allows {limit:.3g} %.",
        )  # fmt: skip


def answer(predictor: Predictor, signature: str, outputs: Any) -> dict[str, tf.Tensor]:
    """Make the named results of a signature of the Keras model's outputs."""
    return {
        name: _result(predictor.task, how, outputs)
        for name, how in predictor.answers[signature].items()
    }


def _result(task, how, outputs):
    if isinstance(how, PartAnswer):
        return _result(how.part.task, how.how, outputs[:, how.part.outputs])
    if how == SOFTMAX:
        return tf.nn.softmax(outputs)
    if how == CLASS:
        return tf.gather(tf.constant(task.output_names), tf.argmax(outputs, axis=1))
    if how == SURVIVAL:
        return task.survival_in_graph(outputs)
    if how == RISK:
        return task.risk_in_graph(outputs)
    return outputs if how == ONLY else outputs[how]


def _outside(predictor):
    """Return a test for values that the model is not defined for, and the expectation in words."""
    lowest, takes_missing = predictor.lowest_allowed, predictor.missing != "error"
    levels = predictor.covariates
    is_level = np.arange(len(predictor.features)) >= len(predictor.features) - levels

    def wrong(values):
        found = tf.math.is_inf(values) if takes_missing else ~tf.math.is_finite(values)
        if lowest is not None:
            found |= values < lowest
        # Not a number is neither.
        return found | (is_level & (values != 0) & (values != 1)) if levels else found

    expected = "a finite number" if lowest is None else f"a finite number of at least {lowest:g}"
    expected += ", or NaN where it is missing" if takes_missing else ""
    return wrong, expected + (", and 0 or 1 for a covariate" if levels else "")


def _is_surely_inside(predictor, values):
    """Return whether totals alone show that no value is missing or outside; much faster."""
    found = tf.math.is_finite(tf.reduce_sum(values))
    if predictor.lowest_allowed is not None:
        found &= tf.reduce_min(values) >= predictor.lowest_allowed
    if predictor.covariates:
        levels = values[:, -predictor.covariates :]
        found &= tf.reduce_all((levels == 0) | (levels == 1))
    return found


def _required(is_met, *text):
    """Let computations of this context wait for a condition, or fail with the text."""
    said = tf.strings.join([_text(part) for part in text])
    return tf.control_dependencies([tf.debugging.Assert(is_met, [said])])


def _text(part):
    if isinstance(part, str):
        return part
    part = part if part.dtype == tf.string else tf.strings.as_string(part)
    return tf.strings.reduce_join(part)


def _some(names):
    """Return the first few of some names, in words."""
    others = tf.strings.format(" and {} more", tf.size(names) - SHOWN)
    more = tf.where(tf.size(names) > SHOWN, others, "")
    return tf.strings.join([tf.strings.reduce_join(names[:SHOWN], separator=", "), more])
