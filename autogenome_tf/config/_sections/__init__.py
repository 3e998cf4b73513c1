"""The sections of a config: every key with its type, its range, its default and what it does."""

from autogenome_tf.config._sections._base import Section, listed
from autogenome_tf.config._sections._data import TRANSFORMS, Data, SplitSection
from autogenome_tf.config._sections._evaluation import Evaluation
from autogenome_tf.config._sections._explanation import Explanation, Interactions
from autogenome_tf.config._sections._output import Export, Output
from autogenome_tf.config._sections._search import Enas, Search
from autogenome_tf.config._sections._task import TaskSection
from autogenome_tf.config._sections._training import OPTIMIZERS, Ensemble, Epistasis, Training

__all__ = [
    "Data", "Enas", "Ensemble", "Epistasis", "Evaluation", "Explanation", "Export", "Interactions",
    "OPTIMIZERS", "Output", "Search", "Section", "SplitSection", "TRANSFORMS", "TaskSection",
    "Training", "listed",
]  # fmt: skip
