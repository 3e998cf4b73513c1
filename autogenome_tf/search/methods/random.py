"""Random search: every family and every combination with equal probability."""

from autogenome_tf.search import OracleMethod


class Random(OracleMethod):
    """Propose at random, without repeating a combination."""

    summary = "KerasTuner's, every family and combination with equal probability"
    oracle = "random"
