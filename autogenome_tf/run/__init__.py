"""The run folder: atomic files, lock, resumption, log and console, AutoGenome's layout."""

from autogenome_tf.run._console import remembered, say_to, talk, watched
from autogenome_tf.run._run import TEXT, Run
from autogenome_tf.run._warnings import warned

__all__ = ["Run", "TEXT", "remembered", "say_to", "talk", "warned", "watched"]
