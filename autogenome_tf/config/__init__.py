"""Configs, frozen; their error messages; process roles; the port of AutoGenome's configs."""

from autogenome_tf.config._config import PATHS, Config
from autogenome_tf.config._json import merged, read_json
from autogenome_tf.config._sections import (
    Data,
    Enas,
    Explanation,
    Output,
    Search,
    Training,
    listed,
)

__all__ = [
    "Config", "Data", "Enas", "Explanation", "Output", "PATHS", "Search", "Training", "listed",
    "merged", "read_json",
]  # fmt: skip
