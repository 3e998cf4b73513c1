"""Times and events as files have them: how they are read and checked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf.tasks._events import read_events, read_times
from autogenome_tf.tasks._task_kind import TaskKind
from autogenome_tf.tasks.survival_metrics import METRICS

# With fewer events, every score is uncertain.
FEW_EVENTS = 30
FEWEST_EVENTS = 2
LOWER_IS_BETTER = ("brier", "brier_ratio", "d_calibration")


class SurvivalKind(TaskKind):
    """Time to an event; `TimeToEvent` says how networks learn it."""

    type = "survival"
    losses = ("cox", "hazard")
    objectives = {name: name not in LOWER_IS_BETTER for name in METRICS}
    has_times = True
    needs_all_targets = True
    skill, no_skill, skill_of_none = "concordance", "guessing", 0.5
    headlines = ("concordance", "brier_ratio")
    directions = ("higher risk", "lower risk")

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return times and events, (rows, 2) float64."""
        if len(columns.columns) != 2:
            raise ValueError(
                "survival needs two columns, the time and the event, in this order: data.target "
                f'["time", "event"]; received {list(columns)}. Give each further outcome a run of '
                "its own."
            )
        times, events = (columns.iloc[:, place] for place in (0, 1))
        return np.stack([read_times(times), read_events(events)], axis=1)

    @classmethod
    def check_learnable(cls, targets: np.ndarray, names: Sequence[str]) -> None:
        """Refuse fewer than two events, or times that are all equal."""
        events = int(targets[:, 1].sum())
        if events < FEWEST_EVENTS:
            raise ValueError(
                f"{names[1]}: {events} events in {len(targets)} samples; expected at least "
                f"{FEWEST_EVENTS}."
            )
        if np.ptp(targets[:, 0]) == 0:
            raise ValueError(f"{names[0]}: constant ({targets[0, 0]:g}); nothing to predict.")

    @classmethod
    def strata(cls, targets: np.ndarray) -> np.ndarray:
        """Return whether each row had the event, as text."""
        return np.where(targets[:, 1] > 0, "event", "censored").astype(object)

    @classmethod
    def doubts(
        cls, targets: np.ndarray, is_test: np.ndarray, names: Sequence[str] = ()
    ) -> list[str]:
        """Return warnings of parts with few events."""
        found = []
        for part, rows in (("training", ~is_test), ("test", is_test)):
            events = int(targets[rows, 1].sum())
            if rows.any() and events < FEW_EVENTS:
                found.append(
                    f"The {part} part has {events} events in {int(rows.sum())} samples; with fewer "
                    f"than {FEW_EVENTS}, scores of survival are uncertain whatever the number of "
                    "samples."
                )
        return found
