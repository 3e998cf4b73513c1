"""The contract of a search method, and the methods that the folder methods/ holds."""

from __future__ import annotations

import abc
import dataclasses
import importlib
import inspect
import math
from typing import Any, ClassVar, NamedTuple

from autogenome_tf.core.errors import InputError, StageError, unknown
from autogenome_tf.core.open_sets import members

FOLDER = "search/methods"


class Proposal(NamedTuple):
    """One configuration to try.

    Attributes:
        handle: Anything by which the method knows the proposal again; None where it needs nothing.
        family: Name of the family.
        values: Hyperparameter name to value.
        epochs: Epochs to train for; None for the config's `search.epochs`.
    """

    handle: Any
    family: str
    values: dict
    epochs: int | None


@dataclasses.dataclass(frozen=True)
class Request:
    """All that a search method is given.

    Attributes:
        spaces: Family name to its search space (hyperparameter name to
            `families.Hyperparameter`), in the config's order, without the baseline.
        search: The config's section `search`.
        training: The config's section `training`.
        objective: Name of the metric that ranks trials.
        seed: Of the method's own choices; never 0.
        cross_validation: The `training.CrossValidation` that trials are trained on; None where
            the process only asks a chief.
        run: The `run.Run` that a method may write files of its own to, or None.
        deadline: `time.monotonic()` at which the last trial must be over.
    """

    spaces: dict
    search: Any
    training: Any
    objective: str
    seed: int
    cross_validation: Any = None
    run: Any = None
    deadline: float = math.inf


class SearchMethod(abc.ABC):
    """A way to choose what is tried next; a class in a file of search/methods is a member.

    The trial loop asks for one proposal at a time, trains it, and reports its score before it asks
    for the next. Training, time, files and ranking are the same for all methods and not theirs.
    A member is found by the name of its file, which must import without TensorFlow.

    Args:
        request: The `Request`.

    Attributes:
        families: Names of exactly those families that the method needs; empty for any.
        is_distributable: Whether a chief and workers can share the search.
        is_of_shared_weights: Whether trials begin as parts of one network, which can have neither
            gates nor epistatic regularisation, and where the baseline cannot win.
    """

    families: ClassVar[tuple[str, ...]] = ()
    is_distributable: ClassVar[bool] = False
    is_of_shared_weights: ClassVar[bool] = False

    def __init__(self, request: Request):
        self.request = request

    @classmethod
    def most_trials(cls, settings: Any) -> int:
        """Return how many trials there are at most, from the config's section `search`."""
        return settings.max_trials

    @classmethod
    def seconds_before(cls, run: Any) -> float:
        """Return the seconds that an interrupted run has spent beside its trials."""
        return 0.0

    @abc.abstractmethod
    def propose(self) -> Proposal | None:
        """Return the next proposal, or None where the space is exhausted."""

    @abc.abstractmethod
    def report(self, handle: Any, score: float | None) -> None:
        """Take the score of the last proposal; None for a trial that failed."""

    def recall(self, handle: Any, family: str, values: dict) -> None:
        """Go on as if the last proposal had been another one, which is on record.

        Raises:
            StageError: Where the method proposes the same each time, so that the record is of
                another version.
        """
        raise proposes_otherwise()

    def close(self) -> None:  # noqa: B027 (most methods hold nothing)
        """Release what the method holds."""


def proposes_otherwise() -> StageError:
    """Return the error for a search that does not propose what is on record of it."""
    return StageError(
        "the search proposes otherwise than it did; was this run begun by another version? Give it "
        "another name."
    )


def method(name: str, place: str = "search.method") -> type[SearchMethod]:
    """Return the class of a search method by the name of its file.

    Raises:
        InputError: For a name that no file has, with the nearest one.
    """
    if name not in members(FOLDER):
        raise unknown(place, name, members(FOLDER))
    module = importlib.import_module(f"autogenome_tf.search.methods.{name}")
    found = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, SearchMethod) and member.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise InputError(
            f"{module.__file__}: expected one subclass of SearchMethod; found {len(found)}."
        )
    return found[0]


def distributable() -> list[str]:
    """List the names of the methods that a chief and workers can share."""
    return [name for name in members(FOLDER) if method(name).is_distributable]


def check_config(config: Any, place: str = "") -> None:
    """Refuse a config that its search method cannot serve.

    Args:
        config: The `Config`.
        place: What to put before the key in an error, such as ``"my.json: "``.

    Raises:
        InputError: Naming the key, what came and what was expected.
    """
    name, chosen = config.search.method, method(config.search.method)
    if chosen.families and set(config.families) != set(chosen.families):
        noun = "family" if len(chosen.families) == 1 else "families"
        raise InputError(
            f"{place}families: search.method {name} needs exactly the {noun} "
            f"{', '.join(chosen.families)}; received {', '.join(config.families)}."
        )
    if not chosen.is_of_shared_weights:
        return
    for family, given in config.families.items():
        if "gates" in given:
            raise InputError(
                f"{place}families.{family}.gates: search.method {name} has none; expected no value."
            )
    if config.training.epistasis:
        others = [one for one in members(FOLDER) if not method(one).is_of_shared_weights]
        raise InputError(
            f"{place}training.epistasis: shared weights are those of many networks; expected "
            f"search.method {' or '.join(others)}; received {name!r}."
        )
