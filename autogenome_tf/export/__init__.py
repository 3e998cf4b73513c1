"""A fitted model as a SavedModel for TensorFlow Serving, and serving.json beside it."""

from autogenome_tf.export._export import export

__all__ = ["export"]
