"""The stages, and alone their order: read files, compute, write files."""

import contextlib
import logging
import os
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from autogenome_tf import data, explainers, families, metrics, plots, search
from autogenome_tf.automl._explanation import Explanation
from autogenome_tf.automl._rows import prepared, rows_of
from autogenome_tf.config import Config, Output
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import audit
from autogenome_tf.ensemble import Retraining, fit_final_model, size_for
from autogenome_tf.export import export
from autogenome_tf.models import LatentModel, LatentSpace, Predictor, tables
from autogenome_tf.report import report
from autogenome_tf.run import Run, autogenome_layout, remembered, say_to, warned, watched
from autogenome_tf.run.artifacts import STAGES
from autogenome_tf.search import best_results, leaderboard, ranked, trials_of
from autogenome_tf.training import EngineError, worker_cluster

log = logging.getLogger(__name__)

# Numbers in reconstruction.tsv.gz, at most.
MOST_TOLD = 50_000_000


class AutoGenome:
    """From a matrix and a config to the best network; every stage is a method.

    ::

        automl = ag.AutoGenome({"name": "cells", "families": {"mlp": {}, "resnet": {"width": 64}}},
                               data=(frame, labels))
        automl.run()  # or, one by one:
        automl.train()  # search and final fit; the leaderboard, a DataFrame
        automl.evaluate()  # metrics with intervals on rows not seen, a dict
        automl.predict(new_rows)  # a DataFrame; without rows, of all rows of the run
        automl.explain()  # each gene's part in each output, a DataFrame
        automl.export()  # for TensorFlow Serving; a path
        automl.report()  # report.html; a path

    A run is a folder (`folder`), which every stage adds files to; ``ag.load(folder)`` brings it
    back on any later day. ``ag.plots`` draws any of its figures. Keys of the config, their ranges
    and defaults are what ``autogenome-tf schema --table`` prints.

    Args:
        config: Path of a JSON config, a dict with its keys, or a `Config`.
        data: In place of files, ``(X, y)``: X a DataFrame (index: sample ids, columns: genes), an
            array, a scipy sparse matrix or an AnnData of (samples, genes); y the labels or values,
            (samples,) or (samples, targets), or the name of a column of an AnnData's ``obs``.

    Raises:
        InputError: At the first thing wrong in the config, naming the place, what came and what
            was expected.
    """

    def __init__(self, config, data=None):
        place, self._earlier = "", []
        if isinstance(config, (str, Path)):
            place = f"{config}: "
            with remembered(self._earlier):
                config = Config.load(config)
        elif not isinstance(config, Config):
            config = Config.of(config).resolved(Path.cwd())
        if data is not None and not (isinstance(data, (tuple, list)) and len(data) == 2):
            raise InputError(f"data: expected (X, y); received {type(data).__name__}.")
        if not config.data.features and data is None:
            raise InputError("config: data.features: expected a file, or data=(X, y).")
        self.config = config
        self.spaces = families.spaces(config, f"{place}families")
        search.method(config.search.method, f"{place}search.method")
        self._given = data
        self._rows = rows_of(config)
        self._run = self._ready = self._cluster = None
        self._is_opened = False

    @classmethod
    def load(cls, folder):
        """Open the folder of an earlier run.

        Args:
            folder: Its path.

        Returns:
            An `AutoGenome` that predicts with the same values as on the day of training.

        Raises:
            InputError: Where it holds no run.
        """
        run = Run.existing(folder)
        automl = cls(run.config())
        automl._run, automl._is_opened = run, True
        # What a folder of a stranger names must not be read aloud in an error.
        automl._rows = rows_of(automl.config, run.check_data)
        return automl

    @property
    def folder(self):
        """Path of the run folder."""
        return self._opened().folder

    def run(self, stages=STAGES):
        """Do all stages that are not done yet; an interrupted run goes on where it stopped.

        A worker among several processes (see `roles`) does its part of the search and no more, and
        of those that TF_CONFIG lets train together only the first does more than `train`.

        Args:
            stages: Names of those asked for, in order.

        Returns:
            Path of the run folder; None in a process that is not to write it.
        """
        if self._helped():
            return None
        run = self._begun(stages)
        for stage in stages:
            if stage not in run.stages or (stage == "train" and self._cluster):
                getattr(self, stage)()
        return run.folder

    def train(self):
        """Search, then train the winner for as long as it gains.

        Writes split.tsv, leaderboard.tsv, history.tsv, model.keras and the plots of the search.
        An interrupted training of the same config and data goes on behind its last trial.

        Returns:
            The leaderboard as a DataFrame, best first; None in a process that is not to write it.

        Raises:
            InputError: Where the data is wrong; nothing is written then.
            StageError: Where most trials fail.
        """
        return None if self._helped() else self._train()

    def _train(self):
        run = self._begun(("train",))
        together = self._cluster
        if together.is_trained(run, self.config) if together else "train" in run.stages:
            self._ready = self._cluster = None
            return run.read_table("leaderboard.tsv")
        with self._stage("train") as times:
            started = time.monotonic()
            learn, folds = self._prepared()
            dataset, parts = self._rows.labelled
            run.write_table("split.tsv", parts.frame(dataset.samples))
            self._audit()
            self._write_gene_sets(run, folds)
            finished = self._finished(run)
            before = search.seconds_before(self.config, run, finished)
            deadline = started + (self.config.search.max_seconds or float("inf")) - before
            size = size_for(self.config.ensemble.size, len(learn))
            trials, best, baseline = self._search(run, folds, size, finished, deadline)
            times["search"] = time.monotonic() - started + before
            started = time.monotonic()
            self._check(best, trials)
            self._finish(run, learn, folds, size, best, baseline, deadline)
            times["fit"] = time.monotonic() - started
            self._ready = self._cluster = None
        return leaderboard(trials, self.config.objective)

    def evaluate(self):
        """Score the model on rows it has not seen.

        Writes metrics.json, baseline.json (the same of a linear model, each metric with the
        model's difference from it) and, for classification, confusion_matrix.tsv, .png and .pdf
        (of the test rows; else of `data.evaluate`, else of the validation or out-of-fold rows).

        Returns:
            Dict of part ("validation", "test", "evaluate") to metric to {"value", "low", "high"}.
        """
        run = self._fitted()
        with self._stage("evaluate"):
            predictor = self._predictor()
            if isinstance(predictor, LatentModel):
                return self._evaluate_latent(run, predictor)
            scored = dict(self._held_out(run, predictor))
            found = {
                part: tables.scores(
                    predictor.task, targets, outputs, derive(self.config.seed, f"bootstrap/{part}")
                )
                for part, (targets, outputs) in scored.items()
            }
            run.write_json("metrics.json", found)
            self._evaluate_baseline(run, scored)
            shown = metrics.in_order(scored)[0]
            if predictor.task.has_classes:
                counts = tables.confusion_matrix(predictor.task, *scored[shown])
                run.write_table("confusion_matrix.tsv", counts, index=True)
            return found

    def predict(self, rows=None):
        """Predict with the model.

        Args:
            rows: None for all rows of the run (and of `data.predict`), written to predictions.tsv;
                or new rows: a path, a DataFrame, an array, a sparse matrix or an AnnData. Genes
                are matched by name, whatever their order; extra ones are ignored.

        Returns:
            A DataFrame: sample, part, target, prediction, then p_<class> for each class; of a
            representation sample, part, z1, z2, ... (written to latent.tsv, and the expected values
            of all rows to reconstruction.tsv.gz).

        Raises:
            InputError: Where new rows lack genes; the message names them.
        """
        run = self._fitted()
        predictor = self._predictor()
        is_latent = isinstance(predictor, LatentModel)
        predicted = tables.latent if is_latent else tables.predictions
        if rows is not None:
            new = self._rows.new(rows, predictor.features)
            return predicted(predictor, new, "new")
        with self._stage("predict"):
            dataset, parts = self._rows.labelled
            found = [(dataset, parts.part)]
            for part, new in (("evaluate", self._rows.scored), ("predict", self._rows.asked)):
                if new:
                    found.append((new, part))
            frames = [predicted(predictor, new, part) for new, part in found]
            frame = pd.concat(frames, ignore_index=True)
            run.write_table("latent.tsv" if is_latent else "predictions.tsv", frame)
            cells = len(frame) * len(predictor.features)
            if is_latent and cells > MOST_TOLD:
                log.info("reconstruction.tsv.gz is not written: it would hold %d numbers", cells)
            elif is_latent:
                told = (tables.reconstruction(predictor, *one) for one in found)
                run.write_compressed("reconstruction.tsv.gz", pd.concat(told, ignore_index=True))
        return frame

    def explain(self, method=None, samples=None, as_explanation=False, interactions=None):
        """Attribute the model's outputs to genes.

        The explained rows are drawn from the test rows (else those of `data.evaluate`, else the
        rows held out), the background from the rows trained on. Writes attributions.tsv and .npz,
        effects.tsv and the plots of importance. With `explanation.repeats` above 1 stability.tsv
        tells how far so many networks agree: those of an ensemble, or the best trial's with other
        seeds. Where units of a trial stand for gene sets, sets.tsv ranks those. With
        `explanation.interactions` interactions.tsv ranks pairs of the foremost genes.
        Of genotypes, the method "epistasis" writes epistasis.tsv and epistasis_orders.tsv too.

        Args:
            method: In place of the config's `explanation.method`.
            samples: In place of the config's `explanation.samples`.
            as_explanation: Whether to return a `shap.Explanation`, for shap's own plots.
            interactions: In place of the config's `explanation.interactions.genes`.

        Returns:
            A DataFrame: feature, rank, total, then mean absolute contribution to each output.

        Raises:
            InputError: Where the method is not defined on the model.
            StageError: Where contributions do not add up to the outputs.
        """
        run, settings = self._fitted(), self.config.explanation
        for name, value, least in (("samples", samples, 1), ("interactions", interactions, 0)):
            if value is not None and value < least:
                raise InputError(f"explain: {name}: expected at least {least}; received {value}.")
        with self._stage("explain") as times:
            work = Explanation(run, self.config, self._rows, self._predictor(), samples, method)
            started = time.monotonic()
            found = work.write()
            times["attribution"] = time.monotonic() - started
            log.info(
                "explanation: %s of %d rows against %s, %.1f s", found.method, len(found.samples),
                explainers.member(found.method).compared_with, times["attribution"],
            )  # fmt: skip
            retraining = Retraining(lambda: self._prepared()[1], self.config.seed)
            if settings.repeats > 1:
                work.write_stability(found, retraining)
            if settings.sets:
                work.write_sets(retraining)
            paired = settings.interactions.genes if interactions is None else interactions
            if paired:
                work.write_interactions(found, paired, retraining)
        return found.explanation() if as_explanation else found.table()

    def export(self):
        """Write the model for TensorFlow Serving: saved_model/<version>/ and serving.json.

        The SavedModel takes raw values and needs TensorFlow alone; `served.Served.signatures` tells
        what it answers. Every call writes a new version, one above the highest.

        Returns:
            Path of the version's folder.

        Raises:
            InputError: Where it cannot be written.
            StageError: Where what was written does not answer as the model does.
        """
        run = self._fitted()
        with self._stage("export"):
            predictor = self._predictor()
            work = Explanation(run, self.config, self._rows, predictor)
            return export(run, self.config, predictor, work.background, work.explained)

    def report(self):
        """Write report.html: one page of what stages have left so far, without network or script.

        Question and answer with what should be doubted, samples, search, scores beside a linear
        model, each class, the genes behind each, what was exported, and how to repeat it.

        Returns:
            Path of the page.
        """
        run = self._fitted()
        with self._stage("report"):
            return report(run)

    def sample(self, count, seed=None, covariates=None):
        """Draw from the prior of a representation.

        Args:
            count: How many rows.
            seed: Of the draw.
            covariates: (count, covariates) of 0 and 1, or None for the training rows' average.

        Returns:
            A DataFrame (count, genes) of expected values: transformed values, chances or counts,
            by the likelihood.
        """
        embedding = self._embedding("sample")
        return pd.DataFrame(
            embedding.sample(count, seed, covariates), columns=embedding.kept_features
        )

    def decode(self, latent, covariates=None):
        """Expected values of latent points (rows, units) of a representation; see `sample`."""
        embedding = self._embedding("decode")
        return pd.DataFrame(embedding.decode(latent, covariates), columns=embedding.kept_features)

    def _embedding(self, asked):
        self._fitted()
        predictor = self._predictor()
        if not isinstance(predictor, LatentModel):
            raise StageError(f"{asked}: only a run of task.type representation can do that.")
        return predictor

    def _evaluate_baseline(self, run, scored):
        """Score the linear model on the same rows and resamples."""
        if not run.has("baseline.keras"):
            return
        linear = self._model(Predictor, "baseline.keras")
        found = {}
        for part, (targets, outputs) in self._held_out(run, linear, "baseline"):
            seed = derive(self.config.seed, f"bootstrap/{part}")
            mine = scored[part][1]
            found[part] = tables.beside(linear.task, targets, mine, outputs, seed)
        run.write_json("baseline.json", found)

    def _evaluate_latent(self, run, embedding):
        """Score a latent space on held-out rows; write metrics, clusters and pictures."""
        space = LatentSpace(embedding, *self._rows.labelled, self._rows.scored, self.config.seed)
        found = space.scores()
        run.write_json("metrics.json", found)
        run.write_table("clusters.tsv", space.clusters())
        run.write_table("maps.tsv", space.maps())
        return found

    @contextlib.contextmanager
    def _stage(self, name):
        """What is said goes to log.txt; the stage is drawn and noted as done when it ends well.

        Raises:
            StageError: Where another process works on the run, a file cannot be written, or memory
                does not suffice.
        """
        run = self._opened()
        doubted = warned(run, name, self._earlier)
        said = say_to(run.path("log.txt"), self._earlier)
        place = _machine(f"{run.folder}: {name}")
        with place, run.alone(), doubted, said, run.stage(name) as times:
            yield times
            if self.config.output.figures:
                plots.draw(run, name)
            if self.config.output.layout == "autogenome":
                autogenome_layout.follow(run, name)

    def _helped(self):
        """Do this process's part of the training, where another one writes the run."""
        part = search.process_role(self.config)
        self._cluster = self._cluster or worker_cluster()
        if part and not part.is_chief:
            self._work(part)
            return True
        if self._cluster and self._cluster.place:
            with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder:
                update = {"output_dir": folder, "output": Output(figures=False)}
                automl = AutoGenome(self.config.model_copy(update=update), self._given)
                automl._cluster = self._cluster
                automl._train()
            return True
        return False

    def _work(self, part):
        """Try what the chief of the search hands out."""
        joined = search.joined(self.config, self.spaces, part)
        with _machine(f"{self.config.name}: search"), contextlib.closing(joined) as remote:
            with remembered(self._earlier), self._as_file() as rows:
                run = Run.begun(*remote.joined(), self.config, rows)
            self._use(run.config())
            with say_to(run.path(search.log_of(part)), self._earlier):
                _, folds = self._prepared()
                search.work(remote, folds, self.config, run)

    def _begun(self, asked):
        """The run, found or begun; wrong data is an error before a folder is made."""
        with _machine(f"{self.config.name}: begin"):
            if self._run is None:
                with remembered(self._earlier), self._as_file() as rows:
                    self._prepared()
                    self._run = Run.of(self.config, asked, rows)
                self._use(self._run.config())
            self._run.ask(asked)
        return self._run

    def _use(self, config):
        """Go on with a config that says the same of files at other places."""
        if config != self.config:
            self.config, self._rows = config, rows_of(config)

    @contextlib.contextmanager
    def _as_file(self):
        """Rows from memory as a temporary archive that the config names; None for files."""
        if self._given is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder:
            rows = os.path.join(folder, "rows.npz")
            options = data.ReadOptions.of(self.config.data)
            names = data.write_rows(rows, *self._given, self.config.further, options)
            self._use(self.config.targeting(names).reading(rows))
            try:
                yield rows
            except InputError as error:
                raise InputError(str(error).replace(rows, "data")) from None

    def _opened(self):
        if self._run is None:
            raise StageError("no run yet: call train() first, or open one with ag.load(folder).")
        return self._run

    def _fitted(self):
        run = self._opened()
        run.require("train")
        return run

    def _predictor(self):
        kind = Predictor if self.config.task.kind.has_targets else LatentModel
        return self._model(kind, "model.keras")

    def _model(self, kind, name):
        """A model of the run; HDF5 that may be a stranger's is looked through first."""
        path = self._opened().path(name)
        if self._is_opened and zipfile.is_zipfile(path):
            data.check_hdf5(str(path))
        return kind.load(path)

    def _prepared(self):
        """The rows to learn from and their folds, after a look at all other rows."""
        if self._ready is None:
            self._ready = prepared(self._rows, self.config, self._cluster)
        return self._ready

    def _finished(self, run):
        """Trials that an interrupted training left."""
        return trials_of(run.read_table("leaderboard.tsv")) if run.has("leaderboard.tsv") else []

    def _search(self, run, folds, size, finished, deadline):
        """Run the trials; each is on disk as soon as it ends.

        Returns:
            The `Trial`s, the `TrialResult`s of the best, and that of the baseline or None.
        """
        config, trials, best, baseline = self.config, [], [], None
        method = search.method(config.search.method)
        with watched(config.search, method.most_trials(config.search), config.objective) as show:
            for result in search.search(folds, config, self.spaces, finished, deadline, run):
                best = best_results([*best, result], size, config.objective, self.spaces)
                trial = result.trial
                baseline = result if trial.number == 0 and trial.is_scored else baseline
                trials.append(trial)
                if len(trials) > len(finished):
                    frame = leaderboard(trials, config.objective)
                    run.write_table("leaderboard.tsv", frame, digits=None)
                show(trial, ranked(trials, config.objective)[0])
        return trials, best, baseline

    def _check(self, best, trials):
        """Refuse to go on without a trial of a family that the config names."""
        if not best:
            reason = next((t.status for t in trials if not t.is_scored), "none was tried")
            raise StageError(f"no trial of {', '.join(self.spaces)} has a score: {reason}")
        first, found = ranked(trials, self.config.objective)[0], best[0].trial
        if first.family not in self.spaces:
            method = search.method(self.config.search.method)
            hint = "" if method.families else "; name it in families to let it win"
            log.warning(
                "the baseline (%.4g) did %s the best of %s (%.4g)%s", first.score,
                "as well as" if first.score == found.score else "better than",
                ", ".join(self.spaces), found.score, hint,
            )  # fmt: skip

    def _audit(self):
        """Warn of rows that make the scores doubtful."""
        dataset, parts = self._rows.labelled
        config = self.config
        found = audit(dataset, parts, config.task.type, config.data.group, self._rows.scored)
        for warning in found:
            log.warning("%s", warning["text"], extra={"about": warning["about"]})

    def _write_gene_sets(self, run, folds):
        """Write what was read of gene sets, kept or not, for each family that is wired by some."""
        tables = [
            level.table.assign(family=family)
            for family in self.spaces
            for level in folds.levels(family)
        ]
        if tables:
            run.write_table("gene_sets.tsv", pd.concat(tables, ignore_index=True))

    def _finish(self, run, learn, folds, size, best, baseline, deadline):
        """From the best trials to the model on disk, and a linear one to compare it with."""
        settings = {"size": size, "seed": self.config.seed}
        final = fit_final_model(folds, best, deadline=deadline, **settings)
        beside = {}
        if baseline and set(final.trials) != {baseline.trial.number}:
            # However little time is left, as much as the search needed.
            until = max(deadline, time.monotonic() + baseline.trial.seconds)
            linear = fit_final_model(folds, [baseline], deadline=until, **settings)
            linear.predictor.save(run.path("baseline.keras"))
            beside = {"baseline": linear.outputs}
        run.write_table("history.tsv", final.history)
        run.write_arrays(
            "validation.npz",
            samples=learn[final.validation_rows].astype(str),
            outputs=final.outputs,
            **beside,
        )
        if final.gates is not None:
            run.write_table("gates.tsv", final.gates)
        predictor = final.predictor.with_training_rows(folds.matrix)
        predictor.save(run.path("model.keras"))

    def _held_out(self, run, predictor, name="outputs"):
        """Targets and outputs of each part that training has not seen.

        Args:
            run: The `Run`.
            predictor: A `Predictor`.
            name: What its out-of-fold outputs are called in validation.npz.
        """
        dataset, parts = self._rows.labelled
        held = run.read_arrays("validation.npz")
        position = {sample: row for row, sample in enumerate(dataset.samples)}
        rows = [position[sample] for sample in held["samples"]]
        yield "validation", (dataset.targets[rows], held[name])
        test = np.flatnonzero(parts.part == "test")
        if len(test):
            yield (
                "test",
                (dataset.targets[test], predictor.outputs(dataset.rows(test), is_own=True)),
            )
        scored = self._rows.scored
        if scored:
            yield "evaluate", (scored.targets, predictor.outputs(scored))


@contextlib.contextmanager
def _machine(place):
    """What the machine lacks, disk or memory or a permission, as one `StageError` on a line."""
    try:
        yield
    except (OSError, MemoryError, EngineError) as error:
        # TensorFlow's text goes on with where it was.
        first, *_ = str(error).splitlines() or [""]
        reason = first if isinstance(error, OSError) else f"{type(error).__name__}: {first}"
        raise StageError(
            f"{place}: {reason}. What is done is kept: the same command goes on."
        ) from error
