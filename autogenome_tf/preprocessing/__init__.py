"""From raw values to what a network sees: transforms, imputation, scaling, ranks, row space."""

from autogenome_tf.preprocessing._fitted_scaling import FittedScaling
from autogenome_tf.preprocessing._gene_weights import gene_weights
from autogenome_tf.preprocessing._model import marked, model
from autogenome_tf.preprocessing._moments import Moments
from autogenome_tf.preprocessing._perturbation import perturbed_inputs
from autogenome_tf.preprocessing._row_space import MOST_ROWS, Genes, RowSpace, space_for
from autogenome_tf.preprocessing._transforms import OF_ALL_VALUES, RELATIVE, Transform
from autogenome_tf.preprocessing.scale import Scale

__all__ = [
    "FittedScaling",
    "Genes",
    "MOST_ROWS",
    "Moments",
    "OF_ALL_VALUES",
    "RELATIVE",
    "RowSpace",
    "Scale",
    "Transform",
    "gene_weights",
    "marked",
    "model",
    "perturbed_inputs",
    "space_for",
]
