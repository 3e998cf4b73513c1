"""Random search: the same chance for every family and every combination."""

from autogenome_tf.search import OracleMethod


class Random(OracleMethod):
    """Propose at random, without repeating a combination."""

    summary = "KerasTuner's, the same chance for every family and combination"
    oracle = "random"
