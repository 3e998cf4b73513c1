"""The rows that are explained and what they are explained against; the files that come out."""

import functools
import logging

import numpy as np
import scipy.stats
import sklearn.cluster

from autogenome_tf import explainers, families
from autogenome_tf.core.seeds import derive
from autogenome_tf.search import trials_of

log = logging.getLogger(__name__)

# Rows among which k-means looks for a background, at most.
CLUSTERED = 5000


class Explanation:
    """One model of a run, explained.

    Args:
        run: The `Run`.
        config: Its `Config`.
        rows: Its `rows.RunData`.
        predictor: Its `Predictor`.
        samples: Rows to explain, in place of the config's `explanation.samples`.
        method: In place of the config's `explanation.method`.
    """

    def __init__(self, run, config, rows, predictor, samples=None, method=None):
        self._run, self._config, self._rows, self._predictor = run, config, rows, predictor
        self._settings = config.explanation
        self._samples = samples or self._settings.samples
        self._method = method or self._settings.method

    @functools.cached_property
    def explained(self):
        """The rows to explain: of the test rows, of `data.evaluate`, or of those held out."""
        dataset, parts = self._rows.labelled
        places = np.flatnonzero(parts.part == "test")
        if not len(places) and self._rows.scored:
            dataset, places = self._rows.scored, np.arange(len(self._rows.scored))
        elif not len(places):
            held = set(self._run.read_arrays("validation.npz")["samples"])
            places = np.flatnonzero([str(sample) in held for sample in dataset.samples])
        return dataset.rows(self._drawn(places, self._samples, "explained"))

    @functools.cached_property
    def background(self):
        """(rows, genes) raw values of rows that were trained on: drawn, or nearest to centres."""
        dataset, parts = self._rows.labelled
        places, count = np.flatnonzero(parts.part == "train"), self._settings.background
        if self._settings.background_by == "random" or len(places) <= count:
            return dataset.rows(self._drawn(places, count, "background")).values
        some = dataset.rows(self._drawn(places, CLUSTERED, "clustered")).values
        return some[nearest_to_centres(self._predictor, some, count, self._seed("centres"))]

    def write(self):
        """Write attributions.tsv, attributions.npz and effects.tsv; returns `Attributions`.

        Tables that belong to earlier attributions are removed.
        """
        found = explainers.explain(
            self._predictor, self.explained, self.background, self._method,
            remaining_fraction=self._settings.part,
        )  # fmt: skip
        self._run.remove_optional("explain", explainers.further_tables())
        explainer = explainers.member(found.method)
        for name, frame in explainer.further_tables(self._predictor).items():
            self._run.write_table(name, frame)
        self._run.write_table("attributions.tsv", found.table())
        self._run.write_table("effects.tsv", found.effects(self._settings.top))
        self._run.write_arrays(
            "attributions.npz",
            values=found.values,
            base_values=found.base_values,
            data=found.data,
            samples=np.array(found.samples, str),
            features=np.array(found.features, str),
            outputs=np.array(found.outputs, str),
            method=np.array(found.method),
        )
        return found

    def write_stability(self, found, retraining):
        """Compare networks: those of the ensemble, or the best trial's with other seeds.

        Args:
            found: The `Attributions` of the model.
            retraining: The `ensemble.Retraining` of the run.
        """
        repeats, settings = self._settings.repeats, self._settings
        several, which = explainers.networks(self._predictor, repeats), "networks of the ensemble"
        if len(several) < 2:
            if not retraining.is_possible:
                log.info("stability: many networks at once need rows in memory; see data.memory")
                return
            trial = self._best_trial()
            several = retraining.seeds(trial, repeats)
            which = f"seeds of trial {trial.number}, {trial.family}"
            if len(several) == 1:
                log.info("stability: %s has a single minimum, whatever the seed", trial.family)
                return
        totals = []
        for one in several:
            own = explainers.explain(
                one, self.explained, self.background, found.method,
                remaining_fraction=settings.part,
            ).totals  # fmt: skip
            # Logits of differently trained networks differ in size; what counts is each one's own.
            totals.append(own * found.totals.sum() / max(own.sum(), 1e-30))
        frame, jaccard = explainers.stability(found.features, totals, settings.top)
        self._run.write_table("stability.tsv", frame)
        log.info(
            "stability: %d %s; the lists of %d foremost genes have a mean Jaccard index of %.2f",
            len(several), which, settings.top, jaccard,
        )  # fmt: skip

    def write_interactions(self, found, count, retraining):
        """Write interactions.tsv: the pairs of the foremost genes.

        Args:
            found: The `Attributions` of the model.
            count: How many genes are paired.
            retraining: As for `write_stability`.
        """
        settings = self._settings.interactions
        genes = np.sort(np.argsort(-found.totals, kind="stable")[:count])
        if len(genes) < 2:
            log.info("interactions: a single gene has no partner")
            return

        def pairs(predictor):
            return explainers.interactions(
                predictor, self.explained, self.background, genes, method=settings.method,
                remaining_fraction=self._settings.part,
            )  # fmt: skip

        null = []
        linear = next((trial for trial in self._trials() if trial.family == "linear"), None)
        # A representation has no targets that could be drawn without interactions.
        if settings.null and linear:
            drawn = retraining.additive_null(self._best_trial(), linear, settings.null)
            null = [pairs(predictor) for predictor in drawn]
        frame = pairs(self._predictor).table(found.features, null)
        self._run.write_table("interactions.tsv", frame)
        first = _measures(frame).iloc[0]
        log.info(
            "interactions: strongest of %d pairs is %s with %s (%.3g of the output's spread%s)",
            len(frame), first["feature_1"], first["feature_2"], first["strength"],
            f", q {first['q']:.2g}" if null else "",
        )  # fmt: skip

    def write_sets(self, retraining):
        """Write sets.tsv: what gene sets contribute to networks of the best trial that has some.

        It need not be the best of all: networks are trained for it anyway.

        Args:
            retraining: As for `write_stability`.
        """
        wired = [trial for trial in self._trials() if families.has_levels(trial.family)]
        if not wired or not wired[0].is_scored:
            return
        trial = wired[0]
        if not retraining.is_possible:
            log.info("gene sets: many networks are trained for them, which needs rows in memory")
            return
        levels = retraining.cross_validation.levels(trial.family, trial.values)
        names = families.member(trial.family).level_names[: len(levels)]
        frame = explainers.set_importance(
            dict(zip(names, levels, strict=True)),
            retraining.controls(trial, self._settings.sets),
            self.explained.values, self.background,
            units=trial.values["set_units"], top=self._settings.top,
        )  # fmt: skip
        self._run.write_table("sets.tsv", frame)
        frame = _measures(frame)
        first = frame.iloc[0]
        own = frame[frame["level"] == first["level"]]
        said = (
            f"gene sets of trial {trial.number}: {first['set']} is foremost, "
            f"{first['above']:.1f} sd above both controls"
        )
        if own["genes"].nunique() > 1:
            hubs = scipy.stats.spearmanr(own["other_labels"], own["genes"]).statistic
            said += f"; on shuffled targets importance and size correlate by {hubs:.2f} (Spearman)"
        log.info("%s", said)

    def _trials(self):
        return trials_of(self._run.read_table("leaderboard.tsv"))

    def _best_trial(self):
        return next(trial for trial in self._trials() if trial.family in self._config.families)

    def _drawn(self, places, count, purpose):
        random = np.random.default_rng(self._seed(purpose))
        return np.sort(random.permutation(places)[:count])

    def _seed(self, purpose):
        return derive(self._config.seed, purpose)


def _measures(frame):
    """A table without outputs that are called as one of the measures before them."""
    return frame.loc[:, ~frame.columns.duplicated()]


def nearest_to_centres(predictor, values, count, seed):
    """Rows nearest to the centres of k-means on what the network sees.

    Args:
        predictor: A `Predictor`.
        values: (rows, genes) raw, an array or CSR.
        count: Number of centres.
        seed: Of the first centres.

    Returns:
        Positions of at most `count` different rows, sorted.
    """
    seen = predictor.branches[0].seen(values)
    means = sklearn.cluster.KMeans(count, n_init=1, random_state=seed % 2**32).fit(seen)
    return np.unique(means.transform(seen).argmin(axis=0))
