"""From ranked trials to the final model: refit, greedy selection, controls."""

from autogenome_tf.ensemble._greedy import assemble, size_for
from autogenome_tf.ensemble._refit import refit, with_controls, with_seeds, without_interactions

__all__ = ["assemble", "refit", "size_for", "with_controls", "with_seeds", "without_interactions"]
