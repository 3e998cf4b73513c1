"""The run folder: its files and their table, lock, resumption, log and console, layouts."""

from autogenome_tf.run._console import learner, remembered, say_to, talk, watched
from autogenome_tf.run._folder import table_text
from autogenome_tf.run._run import Run
from autogenome_tf.run._warnings import warned

__all__ = ["Run", "learner", "remembered", "say_to", "table_text", "talk", "warned", "watched"]
