"""AutoGenome: the stages of a run in order; each stage is a function in a private file."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from autogenome_tf.automl._evaluate import evaluate
from autogenome_tf.automl._explain import explain, overridden
from autogenome_tf.automl._predict import predict, predict_new
from autogenome_tf.automl._processes import helps_only, trained
from autogenome_tf.automl._session import Session
from autogenome_tf.config import Config
from autogenome_tf.export import export
from autogenome_tf.report import about_scores, report
from autogenome_tf.run.artifacts import STAGES

log = logging.getLogger(__name__)


class AutoGenome:
    """From a matrix and a config to the best network; every stage is a method.

    ::

        automl = ag.AutoGenome({"name": "cells", "families": {"mlp": {}}}, data=(frame, labels))
        automl.run()  # or, one by one:
        automl.train()  # search and final fit; the leaderboard, a DataFrame
        automl.evaluate()  # metrics with intervals on rows not seen, a dict
        automl.predict(new_rows)  # a DataFrame; without rows, of all rows of the run
        automl.explain()  # each gene's part in each output, a DataFrame
        automl.export(), automl.report()  # paths of a SavedModel and of report.html

    Every stage adds files to `folder`; ``ag.load(folder)`` opens it again, ``ag.plots`` draws it.

    Args:
        config: Path of a JSON config, a dict with its keys, or a `Config`.
        data: In place of files, ``(X, y)``: X (samples, genes) a DataFrame with sample ids as its
            index, an array, a scipy sparse matrix or an AnnData; y labels or values, (samples,) or
            (samples, targets), or names of columns of X or of its ``obs``, as `data.target` has
            them; None where `data.target` names them.

    Raises:
        InputError: At the first thing wrong in the config.
    """

    def __init__(self, config: Any, data: Any = None):
        self._session = Session(config, data)

    @classmethod
    def load(cls, folder: str | Path) -> "AutoGenome":
        """Open the folder of an earlier run; the model predicts the same values as on that day.

        Args:
            folder: Path of the run folder.

        Raises:
            InputError: Where it holds no run.
        """
        automl = cls.__new__(cls)
        automl._session = Session.existing(folder)
        return automl

    def __repr__(self):
        """Show the name, and the folder with the stages that are done once there is one."""
        run = self._session.run
        where = "not trained" if run is None else f"{run.folder}, done: {', '.join(run.stages)}"
        return f"AutoGenome({self.config.name!r}, {where})"

    @property
    def config(self) -> Config:
        """Return the config, its paths absolute."""
        return self._session.config

    @property
    def folder(self) -> Path:
        """Return the path of the run folder."""
        return self._session.opened().folder

    def run(self, stages: Sequence[str] = STAGES) -> Path | None:
        """Run all stages that are not done yet; an interrupted run continues where it stopped.

        Of several processes that search or train together, one does more than its part of `train`.

        Args:
            stages: Names of those asked for, in order.

        Returns:
            Path of the run folder; None in a process that is not to write it.
        """
        if helps_only(self._session):
            return None
        run = self._session.begun(stages)
        for stage in stages:
            is_partial = stage == "train" and (self._session.workers or not run.has_all_folds)
            if stage not in run.stages or is_partial:
                getattr(self, stage)()
        return run.folder

    def train(self) -> pd.DataFrame | None:
        """Search, then train the best trial for as long as its validation loss falls.

        An interrupted training of the same config and data goes on behind its last trial.

        Returns:
            The leaderboard, best first; None in a process that is not to write it.

        Raises:
            InputError: Where the data is wrong; nothing is written then.
            StageError: Where most trials fail.
        """
        return None if helps_only(self._session) else trained(self._session)

    def evaluate(self) -> dict[str, dict]:
        """Score the model, and a linear one beside it, on rows that they have not seen.

        Returns:
            Dict of part ("validation", "validation_corrected", "test", "evaluate") to metric to
            {"value", "low", "high"}.
        """
        session, run = self._session, self._session.fitted()
        with session.stage("evaluate"):
            model, baseline = session.model(), session.baseline()
            found = evaluate(
                run, session.rows, model, baseline,
                config=session.config, lacking=session.lacking_genes(model),
                retraining=session.retraining(),
            )  # fmt: skip
            for text in about_scores(run):
                log.warning("%s", text, extra={"about": "scores"})
            return found

    def predict(self, rows: Any = None) -> pd.DataFrame:
        """Predict with the model.

        Args:
            rows: New rows, a path or as `data`, matched by gene names; None for those of the run.

        Returns:
            A DataFrame: sample, part, target, prediction, p_<class> ...; of a representation z1 ...

        Raises:
            InputError: Where new rows lack genes that matter; the message names them.
        """
        session, run = self._session, self._session.fitted()
        if rows is not None:
            model = session.model()
            return predict_new(session.rows, model, rows, session.lacking_genes(model))
        with session.stage("predict"):
            model = session.model()
            lacking = session.lacking_genes(model)
            return predict(run, session.rows, model, lacking, session.config)

    def explain(
        self, method: str | None = None, samples: int | None = None, as_explanation: bool = False,
        interactions: int | None = None,
    ) -> Any:  # fmt: skip
        """Attribute the model's outputs to genes, for rows it was not trained on where there are.

        Args:
            method: In place of the config's `explanation.method`.
            samples: In place of the config's `explanation.samples`, at least 1.
            as_explanation: Whether to return a `shap.Explanation`, for shap's own plots.
            interactions: In place of the config's `explanation.interactions.genes`, at least 0.

        Returns:
            A DataFrame: feature, rank, total, then mean absolute contribution to each output.

        Raises:
            InputError: Where the method is not defined on the model.
            StageError: Where contributions do not add up to the outputs.
        """
        session = self._session
        settings = overridden(session.config.explanation, method, samples, interactions)
        with session.stage("explain") as times:
            found = explain(session.explained(settings), times)
        return found.explanation() if as_explanation else found.table()

    def export(self) -> Path:
        """Write saved_model/<version>/ for TensorFlow Serving, and serving.json for its clients.

        Returns:
            Path of the version's folder, one above the last.

        Raises:
            StageError: Where the SavedModel does not answer as the model does.
        """
        session, run = self._session, self._session.fitted()
        with session.stage("export"):
            model = session.model()
            chosen = session.chosen_rows(model, session.config.explanation)
            return export(run, session.config, model, chosen.background, chosen.explained)

    def report(self) -> Path:
        """Write report.html, one page of what stages have left so far; returns its path."""
        run = self._session.fitted()
        with self._session.stage("report"):
            return report(run)

    def sample(self, count: int, seed: int | None = None, covariates: Any = None) -> pd.DataFrame:
        """Draw rows from the prior of a representation: expected values, (count, genes).

        Args:
            count: How many.
            seed: Of the draw; None for another one each time.
            covariates: (count, covariates) of 0 and 1, or None for the training rows' average.
        """
        model = self._session.latent_model("sample")
        return pd.DataFrame(model.sample(count, seed, covariates), columns=model.kept_features)

    def decode(self, latent: Any, covariates: Any = None) -> pd.DataFrame:
        """Return expected values of latent points (rows, units) as `sample` does.

        Args:
            latent: (rows, units) latent points.
            covariates: (rows, covariates) one-hot columns, or None where the model has none.
        """
        model = self._session.latent_model("decode")
        return pd.DataFrame(model.decode(latent, covariates), columns=model.kept_features)
