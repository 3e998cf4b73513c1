"""Grid search: every combination in order, the last hyperparameter of the last family first."""

from autogenome_tf.search import OracleMethod


class Grid(OracleMethod):
    """Propose combination after combination, each once."""

    summary = "KerasTuner's, every combination in order"
    oracle = "grid"
