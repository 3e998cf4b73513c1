"""The train stage: the search, then the final model and the baseline beside it."""

import contextlib
import dataclasses
import logging
import time
from typing import NamedTuple

import pandas as pd

from autogenome_tf import families, search
from autogenome_tf.automl._rows import Prepared
from autogenome_tf.config import Config
from autogenome_tf.core.errors import StageError
from autogenome_tf.data import RunData, audit
from autogenome_tf.ensemble import FinalModel, fit_final_model, size_for
from autogenome_tf.run import Run, watched
from autogenome_tf.run.artifacts import SEARCHED
from autogenome_tf.search import best_results, leaderboard, ranked, trials_of
from autogenome_tf.training import CrossValidation, Trial, TrialResult

log = logging.getLogger(__name__)

# Part of `search.max_seconds` by which the baseline's final model may be late.
LATE = 0.05


class Found(NamedTuple):
    """Trials and baseline of a search.

    Attributes:
        trials: All trials, in their order.
        best: Results of trials of families that the config names, best first: as many as the final
            model averages, or all, without networks but the best, where it is a single one.
        baseline: The result of the linear baseline, or None.
    """

    trials: list[Trial]
    best: list[TrialResult]
    baseline: TrialResult | None


def train(
    run: Run,
    rows: RunData,
    prepared: Prepared,
    *,
    config: Config,
    spaces: dict[str, dict],
    times: dict[str, float],
) -> pd.DataFrame:
    """Search, then fit the final model; write all files of the train stage.

    An interrupted training of the same run goes on behind its last trial.

    Args:
        run: The run that the files are written to.
        rows: Its rows.
        prepared: Those to learn from, and their cross-validation.
        config: Its config.
        spaces: Search space of each family that the config names.
        times: Takes the seconds of search and final fit.

    Returns:
        The rows of leaderboard.tsv, best first.

    Raises:
        StageError: Where most trials fail, or none of a family that is asked for has a score.
    """
    started = time.monotonic()
    _write_rows(run, rows, config)
    _write_gene_sets(run, prepared.cross_validation, spaces)
    finished = trials_of(run.read_table(run.searched)) if run.has(run.searched) else []
    spaces = families.as_begun(spaces, ((trial.family, trial.values) for trial in finished))
    before = search.seconds_before(config, run, finished)
    deadline = started + (config.search.max_seconds or float("inf")) - before
    stage = _Stage(run, prepared, config, spaces, finished, deadline)
    # A chief answers workers until the final model is there: they wait for the search behind it.
    with contextlib.ExitStack() as serving:
        found = stage.search(serving)
        times["search"] = time.monotonic() - started + before
        started = time.monotonic()
        final = stage.write_models(found)
        searched, found = found, stage.judged(found, final)
        stage.compare(found)
        times["fit"] = time.monotonic() - started
    table = leaderboard(found.trials, config.objective)
    if final.judged:
        stage.write_searched(searched)
        run.write_table("leaderboard.tsv", table, digits=None)
    return table


def _write_rows(run, rows, config):
    """Write split.tsv, and warn of rows that make the scores doubtful."""
    dataset, split = rows.labelled
    run.write_table("split.tsv", split.frame(dataset.samples))
    doubts = audit(
        dataset, split, config.task.type, config.data.group, rows.to_evaluate,
        has_depths=config.data.abundance is not None,
    )  # fmt: skip
    for warning in doubts:
        log.warning("%s", warning["text"], extra={"about": warning["about"]})


def _write_gene_sets(run, folds, names):
    """Write gene_sets.tsv: what was read of gene sets, for each family that is wired by some."""
    tables = [
        level.table.assign(family=family) for family in names for level in folds.levels(family)
    ]
    if tables:
        run.write_table("gene_sets.tsv", pd.concat(tables, ignore_index=True))


class _Results:
    """Collect the results of a search as they come.

    Args:
        size: How many results the final model may be made of; the best of them keep their networks.
        config: The run's config.

    Attributes:
        trials: All trials so far, in their order.
    """

    def __init__(self, size: int, config: Config):
        self.trials: list[Trial] = []
        self._size, self._config = size, config
        self._best: list[TrialResult] = []
        self._without_networks: list[TrialResult] = []
        self._baseline: TrialResult | None = None

    def add(self, result: TrialResult) -> None:
        """Take the next result; networks of those that are not among the best can be forgotten."""
        self.trials.append(result.trial)
        self._best = self._best_of([*self._best, result], self._size)
        self._without_networks.append(dataclasses.replace(result, fit=None))
        if result.trial.number == 0 and result.trial.is_scored:
            self._baseline = result

    def found(self) -> Found:
        """Return all trials, the results that the final model is made of, and the baseline."""
        best = self._best
        if self._size == 1:
            # Only the best keeps its networks; others are trained again if they are judged anew.
            every = [*self._without_networks, *best]
            best = self._best_of(every, len(self._without_networks))
        return Found(self.trials, best, self._baseline)

    def _best_of(self, results, size):
        return best_results(results, size, self._config.objective, self._config.families)


@dataclasses.dataclass(frozen=True)
class _Stage:
    """The steps of the train stage behind its preparations.

    Attributes:
        run: The run that the files are written to.
        prepared: Rows to learn from, and their cross-validation.
        config: The run's config.
        spaces: Search space of each family that the config names.
        finished: Trials that an interrupted training left.
        deadline: `time.monotonic()` at which search and final fit must be over.
    """

    run: Run
    prepared: Prepared
    config: Config
    spaces: dict[str, dict]
    finished: list[Trial]
    deadline: float

    @property
    def folds(self) -> CrossValidation:
        """Return the cross-validation of the rows to learn from."""
        return self.prepared.cross_validation

    @property
    def size(self) -> int:
        """Return how many results the final model may be made of."""
        return size_for(self.config.ensemble.size, len(self.prepared.samples))

    def search(self, serving: contextlib.ExitStack) -> Found:
        """Run the trials; each is a line of leaderboard.tsv as soon as it ends.

        Args:
            serving: Stack whose end ends a chief's service.

        Raises:
            StageError: Where no trial of a family that the config names has a score.
        """
        run, folds, config = self.run, self.folds, self.config
        most = search.method(config.search.method).most_trials(config.search)
        results = search.search(
            folds, config, self.spaces, self.finished, self.deadline, run, serving
        )
        collected = _Results(self.size, config)
        with watched(config.search.max_seconds, most, config.objective) as show:
            for result in results:
                collected.add(result)
                if len(collected.trials) > len(self.finished):
                    self._record(result, collected.trials)
                show(result.trial, ranked(collected.trials, config.objective)[0])
        found = collected.found()
        if not found.best:
            failed = (trial.status for trial in found.trials if not trial.is_scored)
            reason = next(failed, "no trial was run")
            raise StageError(f"no trial of {', '.join(self.spaces)} has a score: {reason}")
        return found

    def _record(self, result, trials):
        """Write the files of a trial that has just ended, the last of some."""
        search.write_outputs(self.run, self.folds, result)
        # Workers track the trials that they run.
        if result.fit is not None or search.process_role(self.config) is None:
            search.track_result(self.run, self.config, result)
        table = leaderboard(trials, self.config.objective)
        self.run.write_table("leaderboard.tsv", table, digits=None)

    def write_models(self, found: Found) -> FinalModel:
        """Fit the final model and the baseline; write them, history.tsv and validation.npz.

        Args:
            found: Result of the search.
        """
        run, folds, config, baseline = self.run, self.folds, self.config, found.baseline
        known = {"size": self.size, "seed": config.seed}
        final = fit_final_model(folds, found.best, deadline=self.deadline, **known)
        beside = {}
        if baseline and set(final.trials) != {baseline.trial.number}:
            log.info("baseline: fitted as the final model is")
            until = max(self.deadline, time.monotonic() + self._allowed(baseline))
            linear = fit_final_model(folds, [baseline], deadline=until, **known)
            linear.predictor.save(run.path("baseline.keras"))
            beside = {"baseline": linear.outputs}
        if final.folds is not None and config.task.kind.has_targets:
            final.folds().save(run.path("folds.keras"))
        self._write_validation(final, beside)
        predictor = final.predictor.with_training_rows(folds.matrix, config.data.missing_genes)
        targets = folds.targets[final.validation_rows]
        predictor = predictor.with_coverage(targets, final.outputs, config.evaluation.coverage)
        predictor.save(run.path("model.keras"))
        return final

    def _allowed(self, baseline):
        """Return the seconds that its final model may take, however little time is left."""
        needed, budget = baseline.trial.seconds, self.config.search.max_seconds or float("inf")
        # Where time ends it, those that were fitted to the folds are averaged, if they are at hand.
        return needed if baseline.fit is None else min(needed, LATE * budget)

    def _write_validation(self, final: FinalModel, beside: dict) -> None:
        """Write history.tsv, validation.npz and gates.tsv."""
        run, samples = self.run, self.prepared.samples[final.validation_rows].astype(str)
        run.write_table("history.tsv", final.history)
        run.write_arrays("validation.npz", samples=samples, outputs=final.outputs, **beside)
        if final.gates is not None:
            run.write_table("gates.tsv", final.gates)

    def judged(self, found: Found, final: FinalModel) -> Found:
        """Update the search result with the scores of trials judged anew; write their outputs.

        Args:
            found: Result of the search.
            final: The final model.
        """
        again = {result.trial.number: result.trial for result in final.judged}
        for result in final.judged:
            search.write_outputs(self.run, self.folds, result)
        trials = [again.get(trial.number, trial) for trial in found.trials]
        every, count = [*found.best, *final.judged], len(found.best)
        best = best_results(every, count, self.config.objective, self.config.families)
        return found._replace(trials=trials, best=best)

    def write_searched(self, found: Found) -> None:
        """Write search/leaderboard.tsv, before other scores take the place of those in it.

        Args:
            found: Result of the search, before trials were judged anew.
        """
        self.run.path(SEARCHED).parent.mkdir(exist_ok=True)
        table = leaderboard(found.trials, self.config.objective)
        self.run.write_table(SEARCHED, table, digits=None)

    def compare(self, found: Found) -> None:
        """Warn where the baseline, which the config does not name, scores better than its trials.

        Args:
            found: Result of the search, trials judged anew.
        """
        first = ranked(found.trials, self.config.objective)[0]
        if first.family in self.spaces:
            return
        own, is_fixed = found.best[0].trial, search.method(self.config.search.method).families
        log.warning(
            "the baseline (%.4g) scores %s the best trial of %s (%.4g)%s", first.score,
            "as well as" if first.score == own.score else "better than",
            ", ".join(self.spaces), own.score,
            "" if is_fixed else "; add it to families so that it can become the final model",
        )  # fmt: skip
