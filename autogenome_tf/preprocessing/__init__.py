"""From raw values to what a network sees: transforms, imputation, scaling, ranks, row space."""

from autogenome_tf.preprocessing._preprocessing import Constants, Moments, Transform, of_part
from autogenome_tf.preprocessing._row_space import MOST_ROWS, Genes, RowSpace, space_for

__all__ = [
    "Constants",
    "Genes",
    "MOST_ROWS",
    "Moments",
    "RowSpace",
    "Transform",
    "of_part",
    "space_for",
]
