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
from autogenome_tf.search import best_results, leaderboard, ranked, trials_of
from autogenome_tf.training import CrossValidation, Trial, TrialResult

log = logging.getLogger(__name__)


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
    finished = trials_of(run.read_table("leaderboard.tsv")) if run.has("leaderboard.tsv") else []
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
        found = stage.judged(found, final)
        stage.compare(found)
        times["fit"] = time.monotonic() - started
    table = leaderboard(found.trials, config.objective)
    if final.judged:
        run.write_table("leaderboard.tsv", table, digits=None)
    return table


def _write_rows(run, rows, config):
    """Write split.tsv, and warn of rows that make the scores doubtful."""
    dataset, split = rows.labelled
    run.write_table("split.tsv", split.frame(dataset.samples))
    for warning in audit(dataset, split, config.task.type, config.data.group, rows.to_evaluate):
        log.warning("%s", warning["text"], extra={"about": warning["about"]})


def _write_gene_sets(run, folds, names):
    """Write gene_sets.tsv: what was read of gene sets, for each family that is wired by some."""
    tables = [
        level.table.assign(family=family) for family in names for level in folds.levels(family)
    ]
    if tables:
        run.write_table("gene_sets.tsv", pd.concat(tables, ignore_index=True))


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
        run, folds, config, objective = self.run, self.folds, self.config, self.config.objective
        trials, best, others, baseline = [], [], [], None
        # Workers track the trials that they run.
        is_shared = search.process_role(config) is not None
        most = search.method(config.search.method).most_trials(config.search)
        results = search.search(
            folds, config, self.spaces, self.finished, self.deadline, run, serving
        )
        with watched(config.search.max_seconds, most, objective) as show:
            for result in results:
                trial = result.trial
                best = best_results([*best, result], self.size, objective, config.families)
                others.append(dataclasses.replace(result, fit=None))
                baseline = result if trial.number == 0 and trial.is_scored else baseline
                trials.append(trial)
                if len(trials) > len(self.finished):
                    search.write_outputs(run, folds, result)
                    if result.fit is not None or not is_shared:
                        search.track_result(run, config, result)
                    run.write_table("leaderboard.tsv", leaderboard(trials, objective), digits=None)
                show(trial, ranked(trials, objective)[0])
        if self.size == 1:
            # Only the best keeps its networks; others are trained again if they are judged anew.
            best = best_results([*others, *best], len(others), objective, config.families)
        if not best:
            reason = next((t.status for t in trials if not t.is_scored), "no trial was run")
            raise StageError(f"no trial of {', '.join(self.spaces)} has a score: {reason}")
        return Found(trials, best, baseline)

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
            # However little time is left, as much as the search needed.
            log.info("baseline: fitted as the final model is")
            until = max(self.deadline, time.monotonic() + baseline.trial.seconds)
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
