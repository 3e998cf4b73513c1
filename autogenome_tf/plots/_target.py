"""One target of a run of several kinds of targets, as if the run were of it alone."""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.run import Run
from autogenome_tf.tasks import task_from_names


class TargetRun(Run):
    """A run as a figure of one of its targets reads it: rows that have it, and its columns.

    Args:
        run: A run whose targets are of several kinds.
        target: Name of one.
    """

    def __init__(self, run: Run, target: str):
        super().__init__(run.folder)
        self._run, self.target = run, target

    @functools.cached_property
    def _whole(self) -> Any:
        return task_from_names(self._run.model_names())

    @property
    def _part(self):
        return next(part for part in self._whole.parts if part.name == self.target)

    def model_names(self) -> dict[str, Any]:
        """Return the names of the model as those of a model of this target alone."""
        parts = self._run.model_names()["parts"]
        return next(one for one in parts if one["name"] == self.target)

    def predictions(self) -> pd.DataFrame:
        """Read predictions.tsv with the columns of a run of the target alone."""
        part, frame = self._part, self._run.predictions()
        given = [f"target_{column}" for column in part.column_names]
        # Times and events have names of their own in a run of their own too.
        called = dict(zip(given, given if len(given) > 1 else ["target"], strict=True))
        called |= {column: own for own, column in part.columns_of_frame.items()}
        own = frame.dropna(subset=given)
        return own[["sample", "part", *called]].set_axis(
            ["sample", "part", *called.values()], axis=1
        )

    def confusion_matrix(self) -> pd.DataFrame:
        """Return the counts of a target of classes, rows the true ones, columns the predicted."""
        text = ("target", "true", "predicted")
        frame = self.read_table("confusion_matrix.tsv", text=text)
        own = frame[frame["target"] == self.target]
        classes = self._part.task.classes
        return own.pivot(index="true", columns="predicted", values="count").loc[classes, classes]

    def read_arrays(self, name: str, needed: Iterable[str] = ()) -> dict[str, np.ndarray]:
        """Read validation.npz: samples and outputs of the rows that have the target."""
        found = super().read_arrays(name, needed)
        has_target = np.isin(found["samples"], self.predictions()["sample"])
        outputs = found["outputs"][has_target][:, self._part.outputs]
        return {"samples": found["samples"][has_target], "outputs": outputs}
