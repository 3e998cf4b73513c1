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

import keras
import numpy as np

from autogenome_tf import data
from autogenome_tf.core.errors import InputError, StageError, unknown
from autogenome_tf.explainers._attributions import Attributions, stability, totals
from autogenome_tf.explainers._levels import contributions
from autogenome_tf.explainers._pairs import Pairs, changed_importance, double_knockout
from autogenome_tf.explainers._rule import Unexplained, without_rule
from autogenome_tf.explainers._spectrum import Spectrum
from autogenome_tf.nn import walsh_hadamard
from autogenome_tf.preprocessing import perturbed_inputs

__all__ = [
    "Attributions",
    "Pairs",
    "Spectrum",
    "Unexplained",
    "contributions",
    "explain",
    "in_graph",
    "interactions",
    "names",
    "networks",
    "spectrum",
    "stability",
    "totals",
]

log = logging.getLogger(__name__)

# What `auto` tries, best first.
AUTO = ("fast_deep_shap", "deep_shap", "gradient")
# Attributions must add up to outputs minus base values, up to this part of their largest.
TOLERANCE = {"gradient": 1e-2}
USUAL_TOLERANCE = 1e-3
# Float32 keeps seven digits, of an output and of the hidden units behind it.
ROUNDING = 1e-6
# Sites whose genotypes are all looked at.
MOST_SITES = 20


@functools.cache
def names():
    """List the members, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def explain(predictor, rows, background, method="auto", part=0.0):
    """Attribute the outputs of a predictor for some rows to genes.

    Args:
        predictor: A `predictor.Predictor`.
        rows: A `Dataset` of rows to explain, in the model's gene order.
        background: (rows, genes) raw values of rows that stand for "nothing known".
        method: A member's name, or "auto": the first of `AUTO` that is defined on all layers.
        part: Of a gene's raw value that knockout leaves.

    Returns:
        `Attributions` of calibrated logits, or of values in original units.

    Raises:
        InputError: For an unknown method, or one that is not defined on the model.
        StageError: Where attributions do not add up.
    """
    if method not in ("auto", *names()):
        raise unknown("explanation.method", method, ("auto", *names()))
    raw, background = _dense(rows.values), _dense(background)
    tried = AUTO if method == "auto" else (method,)
    if method != "auto" and getattr(_member(method), "OF_GENOTYPES", False):
        data.check_genotypes(raw, rows.samples, predictor.features, "explanation.method")
        background = _genotypes(predictor, _sites(predictor))
    for name in tried:
        try:
            values, base = _attributed(predictor, raw, background, name, part)
            break
        except Unexplained as error:
            if name == tried[-1]:
                raise InputError(f"explanation.method: {name}: {error}") from None
            log.info("explanation: %s cannot be used: %s", name, error)
    found = Attributions(
        values, base, raw, list(rows.samples), predictor.features,
        predictor.output_names, name,
    )  # fmt: skip
    _check(predictor, found)
    return found


def interactions(predictor, rows, background, genes, method="knockout", part=0.0):
    """Tell how strongly pairs of genes act together.

    Args:
        predictor: A `predictor.Predictor`.
        rows: A `Dataset` of rows to look at, in the model's gene order.
        background: (rows, genes) raw values, for methods that need some.
        genes: Positions of the genes to pair; at least two.
        method: "knockout" (double knock-out), or a member whose contributions are compared with
            and without the other gene (deep feature interaction maps).
        part: Of a gene's raw value that a knock-out leaves.

    Returns:
        `Pairs`, in units of the outputs.

    Raises:
        InputError: For a method that is not defined on the model.
    """
    raw, background, genes = _dense(rows.values), _dense(background), np.asarray(genes)
    pairs = list(itertools.combinations(range(len(genes)), 2))
    scale, _ = predictor.output_scale
    found = np.zeros((len(raw), len(pairs), len(scale)), "float32")
    for branch in predictor.branches:
        seen = branch.seen(raw)
        changed = perturbed_inputs(branch.preprocessing, branch.transform, raw, part)
        place = {gene: position for position, gene in enumerate(branch.kept.tolist())}
        # A gene that this branch does not see takes part in no pair of it.
        known = [number for number, gene in enumerate(genes.tolist()) if gene in place]
        if len(known) < 2:
            continue
        own = [place[genes[number]] for number in known]
        if method == "knockout":
            values = double_knockout(branch.network, seen, changed, own)
        else:
            attribute = _member(method).attribute
            reference = branch.seen(background)
            try:
                values = changed_importance(
                    lambda some, *, a=attribute, b=branch, r=reference: a(b.network, some, r),
                    seen, changed, own,
                )  # fmt: skip
            except Unexplained as error:
                raise InputError(f"explanation.interactions.method: {method}: {error}") from None
        inside = [pair[0] in known and pair[1] in known for pair in pairs]
        found[:, inside] += values * scale
    first, second = genes[np.array(pairs).T]
    spread = predictor.outputs(raw).std(axis=0)
    return Pairs(found, first, second, spread, predictor.output_names)


def spectrum(predictor):
    """What a predictor makes of all genotypes as sums of products of sites: a `Spectrum`.

    Raises:
        InputError: Where there are more than 2^20 genotypes.
    """
    sites = _sites(predictor)
    values = predictor.outputs(_genotypes(predictor, sites)).T.astype("float64")
    names = [predictor.features[site] for site in sites]
    return Spectrum(walsh_hadamard.coefficients(values).numpy(), names, predictor.output_names)


def networks(predictor, most):
    """The networks that an ensemble averages, at most so many, each as a predictor of its own.

    They are taken in turn from the trials that take part, so that each is seen. Outputs are logits
    or standardised values as each network gives them.

    Returns:
        A list of `Predictor`s; empty where the model is a single network.
    """
    by_trial = []
    for number, branch in enumerate(predictor.branches):
        averages = (
            layer
            for layer in branch.network.layers
            if isinstance(layer, keras.layers.GlobalAveragePooling1D)
        )
        for average in averages:
            stacked = average.input
            by_trial.append(
                [(number, branch.network, stacked, replica) for replica in range(stacked.shape[1])]
            )
    in_turn = (one for turn in itertools.zip_longest(*by_trial) for one in turn if one)
    return [
        _Alone(predictor, number, keras.Model(network.inputs[0], stacked[:, replica]))
        for number, network, stacked, replica in itertools.islice(in_turn, most)
    ]


def in_graph(predictor, background):
    """Attribute by the rescale rule as a part of a TensorFlow graph.

    Args:
        predictor: A `predictor.Predictor`.
        background: (rows, genes) raw values of rows that stand for "nothing known".

    Returns:
        A list of a `tf.Module` for each branch, (rows, kept) of what its network sees ->
        (rows, kept, outputs), before the output's scale.

    Raises:
        InputError: Where the rule is not defined on a layer.
    """
    module = _member("fast_deep_shap")
    try:
        return [
            module.InGraph(branch.network, branch.seen(_dense(background)))
            for branch in predictor.branches
        ]
    except Unexplained as error:
        raise InputError(f"explanation.method: fast_deep_shap: {error}") from None


class _Alone:
    """One network of an ensemble, as far as explainers ask a predictor."""

    def __init__(self, predictor, number, network):
        self.features, self.output_names = predictor.features, predictor.output_names
        self._branch = dataclasses.replace(predictor.branches[number], network=network)
        self.branches = [self._branch]
        count = len(self.output_names)
        self.output_scale = np.ones(count), np.zeros(count)

    def outputs(self, values):
        """(rows, genes) raw values to the network's own outputs."""
        return self._branch.outputs(values)


def _member(name):
    return importlib.import_module(f"{__name__}.{name}")


def _attributed(predictor, raw, background, name, part):
    """(samples, features, outputs) and (outputs,) in units of the outputs."""
    module = _member(name)
    scale, offset = predictor.output_scale
    total = np.zeros((len(raw), len(predictor.features), len(scale)), "float32")
    base = np.zeros(len(scale))
    for branch in predictor.branches:
        seen, reference = branch.seen(raw), branch.seen(background)
        base += branch.outputs(background).mean(axis=0, dtype="float64") * scale
        if getattr(module, "OF_PART", False):
            reference = perturbed_inputs(branch.preprocessing, branch.transform, raw, part)
        total[:, branch.kept] += module.attribute(branch.network, seen, reference) * scale
    return total, (base + offset).astype("float32")


def _sites(predictor):
    """Positions of the sites that some network sees."""
    sites = np.unique(np.concatenate([branch.kept for branch in predictor.branches]))
    if len(sites) > MOST_SITES:
        raise InputError(
            f"explanation.method: epistasis looks at all genotypes, of at most {MOST_SITES} sites; "
            f"received {len(sites)}; see data.top_variable."
        )
    return sites


def _genotypes(predictor, sites):
    """All genotypes of some sites, (2^sites, features) raw; other sites are 0."""
    found = np.zeros((1 << len(sites), len(predictor.features)), "float32")
    found[:, sites] = walsh_hadamard.genotypes(len(sites))
    return found


def _check(predictor, found):
    """Refuse attributions that do not add up, where their method says they do."""
    if found.method == "knockout":
        return
    outputs = predictor.outputs(found.data)
    expected = outputs - found.base_values
    wrong = np.abs(found.values.sum(axis=1, dtype="float64") - expected).max()
    largest = np.abs(expected).max()
    scale, _ = predictor.output_scale
    # Below this a difference of outputs is rounding, and a nearly constant model has no larger one.
    rounding = ROUNDING * (np.abs(outputs).max() + np.abs(scale).max())
    allowed = TOLERANCE.get(found.method, USUAL_TOLERANCE) * largest
    if not wrong <= max(allowed, rounding):
        raise StageError(
            f"explanation: {found.method} does not add up: contributions miss the outputs by up to "
            f"{wrong:.3g} of {largest:.3g}; {_suspects(predictor)}."
        )


def _suspects(predictor):
    """Name the layers that have no exact rule, or all kinds of layers where each has one."""
    branches = predictor.branches
    found = [text for one in branches for text in without_rule(one.network)]
    if found:
        return "; ".join(found)
    kinds = [type(layer).__name__ for one in branches for layer in one.network.layers]
    return f"every layer has an exact rule: {', '.join(dict.fromkeys(kinds))}"


def _dense(values):
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, "float32")
