"""Objects that a search method and the trial loop hand each other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autogenome_tf.core.errors import StageError

if TYPE_CHECKING:
    from autogenome_tf.config import Search, Training
    from autogenome_tf.families import Hyperparameter
    from autogenome_tf.run import Run
    from autogenome_tf.training import CrossValidation


class Proposal(NamedTuple):
    """One configuration to try.

    Attributes:
        handle: Anything by which the method knows the proposal again; None where it needs nothing.
        family: Name of the family.
        values: Hyperparameter name to value.
        epochs: Epochs to train for, at least 1; None for the config's `search.epochs`.
    """

    handle: Any
    family: str
    values: dict[str, Any]
    epochs: int | None


@dataclasses.dataclass(frozen=True)
class Request:
    """Input of a search method.

    Attributes:
        spaces: Family name to its search space, in the config's order, without the baseline's.
        search: The config's section `search`.
        training: The config's section `training`.
        objective: Name of the metric that ranks trials.
        seed: Of the method's own choices; never 0.
        cross_validation: Trains and judges the trials; None where the process only asks a chief.
        run: The run folder, for files of the method's own, or None.
        deadline: `time.monotonic()` at which the last trial must be over.
        starts: Family and values of each configuration to try first; see `search.start`.
    """

    spaces: dict[str, dict[str, Hyperparameter]]
    search: Search
    training: Training
    objective: str
    seed: int
    cross_validation: CrossValidation | None = None
    run: Run | None = None
    deadline: float = math.inf
    starts: Sequence[tuple[str, dict[str, Any]]] = ()


def proposes_otherwise() -> StageError:
    """Return the error for a search that does not propose what is on record of it."""
    return StageError(
        "the search proposes other trials than those on disk; the run may have been started by "
        "another version. Give it another name."
    )
