"""Times and events as files have them: how they are read and checked."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf.tasks._events import read_events, read_times
from autogenome_tf.tasks._task_kind import TaskKind
from autogenome_tf.tasks.survival_metrics import METRICS

# With fewer events, every score is uncertain.
FEW_EVENTS = 30
FEWEST_EVENTS = 2
# Times from which on a narrow range is no accident.
MANY_TIMES = 20
# Short names of outcomes, of which a clinical table has a time and an event each.
OUTCOMES = frozenset("os pfs dfs rfs efs dss ttp pfi dfi mfs dmfs css bcr".split())
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
    tested = ("concordance",)
    directions = ("higher risk", "lower risk")

    @classmethod
    def check_names(cls, names: Sequence[str]) -> None:
        """Refuse other columns than a time and its event."""
        if len(names) != 2:
            raise ValueError(
                "survival needs two columns, the time and the event, in this order: data.target "
                f'["time", "event"]; received {list(names)}. Give each further outcome a run of '
                "its own. Where the times of events and of last visits are two columns, join them."
            )

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return times and events, (rows, 2) float64."""
        cls.check_names(list(columns))
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
        """Return warnings of few events or events alone, and of times that may be others'."""
        found = []
        for part, rows in (("training", ~is_test), ("test", is_test)):
            events = int(targets[rows, 1].sum())
            if rows.any() and events < FEW_EVENTS:
                found.append(
                    f"The {part} part has {events} events in {int(rows.sum())} samples; with fewer "
                    f"than {FEW_EVENTS}, scores of survival are uncertain whatever the number of "
                    "samples."
                )
        outcomes = [_outcome(name) for name in names]
        if None not in outcomes and len(set(outcomes)) > 1:
            found.append(
                f"By their names the time {names[0]!r} and the event {names[1]!r} belong to "
                "different outcomes: name both of one."
            )
        times, events = targets[:, 0], targets[:, 1]
        if events.all():
            found.append(
                f"All {len(events)} samples had the event. If others were left out because their "
                "event or time is not written down, risks are those of early events alone: give "
                "them event 0 and the time of the last visit."
            )
        if len(times) >= MANY_TIMES and 2 * times.min() > times.max():
            found.append(
                f"All times are {times.min():g} to {times.max():g}: no sample was observed for "
                "less than half of the longest time. If they are dates, years or ages, give the "
                "time since the start of observation."
            )
        return found


def _outcome(name):
    """Return the outcome that a column belongs to by its name, or None.

    >>> _outcome("OS_MONTHS"), _outcome("PFI.time"), _outcome("event")
    ('os', 'pfi', None)
    """
    return next((word for word in re.split("[^a-z]+", name.casefold()) if word in OUTCOMES), None)
