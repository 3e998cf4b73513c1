"""Explainers: a fitted model and rows in; attributions, interactions, importance of gene sets out.

A file of this folder with a class that derives from `Explainer` is a member of an open set: config,
command line, schema and report know it at once. What such a file needs is here: `Explainer`,
`SplitNetwork`, `Unexplained`, `jacobian`.
"""

from autogenome_tf.explainers._attributions import Attributions, stability, totals
from autogenome_tf.explainers._base import Explainer
from autogenome_tf.explainers._explain import explain
from autogenome_tf.explainers._graph import in_graph
from autogenome_tf.explainers._interactions import interactions
from autogenome_tf.explainers._levels import contributions
from autogenome_tf.explainers._members import further_tables, member, names
from autogenome_tf.explainers._model import Model
from autogenome_tf.explainers._networks import networks
from autogenome_tf.explainers._pairs import Pairs
from autogenome_tf.explainers._rule import SplitNetwork, Unexplained, jacobian
from autogenome_tf.explainers._sets import set_importance
from autogenome_tf.explainers._spectrum import MOST_SITES, Spectrum, spectrum

__all__ = [
    "MOST_SITES",
    "Attributions",
    "Explainer",
    "Model",
    "Pairs",
    "Spectrum",
    "SplitNetwork",
    "Unexplained",
    "contributions",
    "explain",
    "further_tables",
    "in_graph",
    "interactions",
    "jacobian",
    "member",
    "names",
    "networks",
    "set_importance",
    "spectrum",
    "stability",
    "totals",
]
