"""The only room that talks to KerasTuner's search algorithms: its oracles, under our own loop.

An oracle proposes values and takes scores; training, time and disk are ours. One conditional space
holds all families: a choice of family, and each family's hyperparameters active under it. A
distributed search goes through KerasTuner's own service: chief.py answers for the oracle, worker.py
asks.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import keras_tuner
import numpy as np
import sklearn.exceptions
from keras_tuner.engine import trial as engine

from autogenome_tf import metrics
from autogenome_tf.search._request import Proposal, proposes_otherwise

if TYPE_CHECKING:
    from autogenome_tf.families import Hyperparameter

log = logging.getLogger(__name__)

TUNER = "autogenome_tf"
FAMILY = "family"
EPOCHS = "tuner/epochs"


class Started(keras_tuner.engine.oracle.Oracle):
    """Draw the starting points before anything at random.

    Attributes:
        starts: Values of those that were not drawn yet.
    """

    starts: Iterator[dict[str, Any]] = iter(())

    def _random_values(self):
        return next(self.starts, None) or super()._random_values()


class Random(Started, keras_tuner.oracles.RandomSearchOracle):
    """KerasTuner's random search, begun with the starting points."""


class Hyperband(Started, keras_tuner.oracles.HyperbandOracle):
    """KerasTuner's hyperband, whose first bracket begins with the starting points."""


class Bayesian(Started, keras_tuner.oracles.BayesianOptimizationOracle):
    """KerasTuner's Gaussian process, its next point one of many candidates.

    Starting points come first: with few trials a good start is worth more than chance.
    KerasTuner would then descend the confidence bound from 50 points with numerical
    gradients, which takes seconds a proposal in a space of several families and ends between the
    values that a choice has. Here candidates are drawn, inactive dimensions set to their defaults
    as in the training points, and the bound is computed in one call.
    """

    CANDIDATES = 2000

    def populate_space(self, trial_id):
        """Propose starts, then at random, then where the lower confidence bound is best."""
        if (values := next(self.starts, None)) is not None:
            return {"status": engine.TrialStatus.RUNNING, "values": values}
        scored = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if len(scored) < self.num_initial_points:
            return self._random_populate_space()
        points, scores = self._vectorize_trials()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
            self.gpr.fit(points, scores)
        candidates = self._candidates()
        if not candidates:
            return {"status": engine.TrialStatus.STOPPED, "values": None}
        mean, deviation = self.gpr.predict(self._vectors(candidates), return_std=True)
        best = int(np.argmin(mean - self.beta * deviation))
        return {"status": engine.TrialStatus.RUNNING, "values": candidates[best]}

    def _dimensions(self, family):
        prefix = f"{family}/"
        return [hp for hp in self.hyperparameters.space if hp.name.startswith(prefix)]

    def _candidates(self):
        """Draw values at random; return those that were not tried yet."""
        random = np.random.default_rng([self.seed, len(self.trials)])
        families = self.hyperparameters.space[0].values
        options = {
            name: [(hp.name, hp.values) for hp in self._dimensions(name)] for name in families
        }
        drawn = []
        for _ in range(self.CANDIDATES):
            family = families[random.integers(len(families))]
            own = options[family]
            places = random.integers([len(values) for _, values in own])
            values = {name: known[place] for (name, known), place in zip(own, places, strict=True)}
            drawn.append({FAMILY: family} | values)
        return [values for values in drawn if not self._duplicate(values)]

    def _vectors(self, candidates):
        """Return candidates as KerasTuner sees them: (candidates, dimensions) from 0 to 1."""
        space = self._nonfixed_space()
        places = {hp.name: place for place, hp in enumerate(space)}
        known = {(hp.name, value): hp.value_to_prob(value) for hp in space for value in hp.values}
        vectors = np.tile([hp.value_to_prob(hp.default) for hp in space], (len(candidates), 1))
        for vector, values in zip(vectors, candidates, strict=True):
            for name, value in values.items():
                vector[places[name]] = known[name, value]
        return vectors


class Grid(keras_tuner.oracles.GridSearchOracle):
    """KerasTuner's grid, which does not wait for dimensions that trials may add: ours add none."""

    def populate_space(self, trial_id):
        """Propose the combination behind the last, whether that has ended or not."""
        found = super().populate_space(trial_id)
        if found["status"] == engine.TrialStatus.RUNNING:
            self._populate_next.append(trial_id)
        return found


ORACLES = {
    "random": Random,
    "grid": Grid,
    "hyperband": Hyperband,
    "bayesian": Bayesian,
}


class Proposer:
    """Propose families and hyperparameters by an oracle.

    Args:
        oracle: A name of `ORACLES`.
        spaces: Family name to its search space.
        objective: Name of the metric.
        seed: Never 0, which KerasTuner would take for "no seed".
        starts: Family and values of each configuration to propose first.
        options: Further arguments of the oracle.

    Attributes:
        oracle: KerasTuner's, or what speaks for one.
    """

    def __init__(
        self,
        oracle: str,
        spaces: dict[str, dict[str, Hyperparameter]],
        objective: str,
        seed: int,
        starts: Iterable[tuple[str, dict[str, Any]]] = (),
        **options: Any,
    ):
        self._spaces, self._space = spaces, declared(spaces)
        direction = "max" if metrics.HIGHER_IS_BETTER[objective] else "min"
        self._objective = objective
        self._folder = tempfile.TemporaryDirectory(prefix="autogenome_tf-")
        self.oracle = ORACLES[oracle](
            objective=keras_tuner.Objective(objective, direction),
            hyperparameters=self._space.copy(),
            allow_new_entries=False,
            tune_new_entries=False,
            seed=seed,
            **options,
        )
        # Whether failures end the search is decided by our loop, not by three in a row.
        self.oracle.max_consecutive_failed_trials = 10**9
        self.oracle.verbose = 0
        if isinstance(self.oracle, Started):
            self.oracle.starts = itertools.starmap(self._coded, starts)
        self.oracle._set_project_dir(self._folder.name, "oracle")

    def close(self) -> None:
        """Remove the oracle's files."""
        self._folder.cleanup()

    def propose(self) -> Proposal | None:
        """Return the oracle's next proposal.

        Returns:
            The proposal, whose handle is the oracle's own trial and whose epochs are None unless
            the oracle is hyperband; or None where the space is exhausted.
        """
        with without_deprecations():
            proposal = self.oracle.create_trial(TUNER)
        if proposal.status != engine.TrialStatus.RUNNING:
            return None
        return Proposal(proposal, *self.decoded(proposal))

    def decoded(self, proposal: engine.Trial) -> tuple[str, dict[str, Any], int | None]:
        """Return the family of an oracle's trial, its values, and the epochs it asks for or None.

        Args:
            proposal: The oracle's trial.
        """
        # Its own space is incomplete where it has come a long way.
        hp = self._space.copy()
        hp.values = dict(proposal.hyperparameters.values)
        family = hp.values[FAMILY]
        with hp.conditional_scope(FAMILY, [family]):
            values = {
                name: hyper.ask(hp, f"{family}/{name}")
                for name, hyper in self._spaces[family].items()
            }
        return family, values, hp.values.get(EPOCHS)

    def recall(self, proposal: engine.Trial, family: str, values: dict[str, Any]) -> None:
        """Continue as if something else had been proposed; see `recall_values`."""
        self.recall_values(proposal, self._coded(family, values))

    def _coded(self, family, values):
        """Return a configuration as the oracle's values."""
        space = self._spaces[family]
        own = {f"{family}/{name}": space[name].coded(value) for name, value in values.items()}
        return {FAMILY: family} | own

    def recall_values(self, proposal: engine.Trial, values: dict[str, Any]) -> None:
        """Continue as if the engine's own values had been others.

        A Gaussian process finds another point the best where a processor rounds otherwise, so what
        it has proposed is a matter of record; all other oracles draw and count.

        Raises:
            StageError: Where the oracle is one of those.
        """
        if not isinstance(self.oracle, Bayesian):
            raise proposes_otherwise()
        proposal.hyperparameters.values = dict(values)
        self.oracle._record_values(proposal)

    def report(self, proposal: engine.Trial, score: float | None) -> None:
        """Report the score of an oracle's trial, or None for a failure."""
        with without_deprecations():
            if score is None:
                proposal.status = engine.TrialStatus.FAILED
            else:
                self.oracle.update_trial(proposal.trial_id, {self._objective: score})
                proposal.status = engine.TrialStatus.COMPLETED
            self.oracle.end_trial(proposal)


def declared(spaces: dict[str, dict[str, Hyperparameter]]) -> keras_tuner.HyperParameters:
    """Return all families as one conditional KerasTuner space.

    Args:
        spaces: Family name to its search space.
    """
    hp = keras_tuner.HyperParameters()
    hp.Choice(FAMILY, list(spaces))
    for family, space in spaces.items():
        with hp.conditional_scope(FAMILY, [family]):
            for name, hyper in space.items():
                hyper.ask(hp, f"{family}/{name}")
    return hp


@contextlib.contextmanager
def without_deprecations() -> Iterator[None]:
    """Silence what KerasTuner warns of in its own code while the block runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
