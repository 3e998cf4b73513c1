"""Random search: starting points, then every combination with equal probability."""

from autogenome_tf.search import OracleMethod


class Random(OracleMethod):
    """Propose starting points, then at random, without repeating a combination."""

    summary = "KerasTuner's, every family and combination with equal probability"
    oracle = "random"
