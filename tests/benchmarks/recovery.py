"""Whether attributions find the genes that were planted, and only where there is a signal.

    python tests/benchmarks/recovery.py
    python tests/benchmarks/recovery.py --samples 300 --features 200 --seeds 1 --trials 2

Simulated expression with main-effect genes (some with co-expressed passengers), pairs of genes that
tell something only together, and two classes. A run searches multilayer perceptrons and explains
its test rows by each method. Against genes that tell nothing: the area under the ROC curve (AUROC)
of main genes and of genes of pairs, and the share of main genes among as many foremost genes (P@k).
The univariate test (F of an analysis of variance, log values, training rows) is the baseline, and
the same on permuted labels must be chance. The test score says what there was to explain.

Blocks: a block's score is its best gene's; their AUROC against as many drawn null genes, and how
often the driver, not a passenger, is the block's best. Pairs: of planted pairs among all pairs of
genes of pairs and as many null genes, by double knock-out.

Deletion: the mean logit of the true class while the foremost genes take their background mean,
averaged over steps, in parts of what random genes leave; below 1 is better than chance.

Means over seeds, each with data and a split of its own.
"""

import argparse
import tempfile

import numpy as np
import pandas as pd
import sklearn.feature_selection
import sklearn.metrics

import autogenome_tf as ag
from autogenome_tf import explainers
from autogenome_tf.run import _console
from autogenome_tf.simulation import expression

METHODS = ("fast_deep_shap", "gradient", "knockout")
STEPS = (5, 10, 20, 50, 100)
COLUMNS = ("test score", "AUROC main", "P@k main", "AUROC pairs' genes", "AUROC blocks",
           "driver first", "AUROC pairs", "deletion")  # fmt: skip


def auroc(chosen, others, scores):
    """How far the scores of chosen genes lie above those of others."""
    if not len(chosen):
        return np.nan
    truth = np.repeat([1, 0], [len(chosen), len(others)])
    return sklearn.metrics.roc_auc_score(truth, scores[np.concatenate([chosen, others])])


class Planted:
    """Positions of a simulation's genes by role."""

    def __init__(self, simulation, seed):
        truth = expression.truth.reset_index(drop=True)
        place = dict(zip(truth["feature"], truth.index, strict=True))
        role = truth["role"]
        self.main, self.null, self.paired = (
            np.flatnonzero(role == name) for name in ("main", "null", "interaction")
        )
        passengers = truth[role == "passenger"].groupby("partner").groups
        self.blocks = [[place[driver], *genes] for driver, genes in passengers.items()]
        partners = truth.loc[self.paired, "partner"].map(place)
        self.pairs = {frozenset(pair) for pair in zip(self.paired, partners, strict=True)}
        random = np.random.default_rng(seed)
        self.others = random.choice(self.null, len(self.paired), replace=False)
        size = max(map(len, self.blocks), default=0)
        self.drawn = [random.choice(self.null, size, replace=False) for _ in range(50)]

    def measure(self, scores):
        """AUROC of main genes, P@k, AUROC of genes of pairs, of blocks, and drivers first."""
        foremost = np.argsort(-scores)
        # A passenger is neither planted itself nor free of signal.
        free = np.concatenate([self.main, self.null, self.paired])
        foremost = foremost[np.isin(foremost, free)][: len(self.main)]
        best = np.array([scores[genes].max() for genes in [*self.blocks, *self.drawn]])
        count = len(self.blocks)
        return [
            auroc(self.main, self.null, scores),
            np.isin(foremost, self.main).mean(),
            auroc(self.paired, self.null, scores),
            auroc(np.arange(count), np.arange(count, len(best)), best),
            np.mean([scores[genes].argmax() == 0 for genes in self.blocks] or [np.nan]),
        ]


def deletion(predictor, rows, truth, background, scores, seed):
    """Mean logit that the foremost genes leave, in parts of what random genes leave."""
    mean = background.mean(axis=0)
    random = np.random.default_rng(seed).permutation(len(scores))

    def left(order):
        found = []
        for step in STEPS:
            changed = rows.copy()
            changed[:, order[:step]] = mean[order[:step]]
            outputs = predictor.outputs(changed)
            found.append((outputs - outputs.mean(axis=1, keepdims=True))[truth].mean())
        return np.mean(found)

    truth = truth[:, None] == np.arange(predictor.task.outputs)
    return left(np.argsort(-scores)) / left(random)


def measured(parsed, seed, is_permuted):
    """Rows of the table of one seed, by method."""
    drawn = expression.draw(
        samples=parsed.samples, features=parsed.features, classes=2, informative=parsed.informative,
        interactions=parsed.pairs, batches=1, batch_effect=0.0, dropout=0.05, noise=parsed.noise,
        seed=seed,
    )  # fmt: skip
    target = np.asarray(drawn.target)
    if is_permuted:
        target = np.random.default_rng(seed).permutation(target)
    planted = Planted(drawn, seed)
    frame = pd.DataFrame(drawn.values, drawn.samples, drawn.features)
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "name": "recovery", "seed": seed, "output_dir": folder, "families": {"mlp": {}},
            "search": {"max_trials": parsed.trials},
        }  # fmt: skip
        automl = ag.AutoGenome(config, data=(frame, target))
        automl.train()
        score = automl.evaluate()["test"]["balanced_accuracy"]["value"]
        predictor = automl._session.model()
        work = automl._session.chosen_rows(predictor, automl.config.explanation)
        dataset, parts = automl._session.rows.labelled
        train = parts.part == "train"
        values = np.log1p(np.asarray(dataset.values)[train])
        univariate = sklearn.feature_selection.f_classif(values, dataset.targets[train])[0]
        scored = {"univariate": np.nan_to_num(univariate)}
        background = np.asarray(work.background)
        for method in METHODS:
            found = explainers.explain(predictor, work.explained, background, method)
            scored[method] = found.totals
        genes = np.sort(np.concatenate([planted.paired, planted.others]))
        pairs = explainers.interactions(predictor, work.explained, background, genes)
        is_true = [frozenset(p) in planted.pairs for p in zip(pairs.first, pairs.second)]  # noqa: B905
        between = sklearn.metrics.roc_auc_score(is_true, pairs.strength)
        targets = dict(zip(dataset.samples, dataset.targets, strict=True))
        truth = predictor.task.encode([targets[sample] for sample in work.explained.samples])
        rows = np.asarray(work.explained.values)
        return {
            method: [
                score,
                *planted.measure(scores),
                between if method == "knockout" else np.nan,
                np.nan
                if is_permuted
                else deletion(predictor, rows, truth, background, scores, seed),
            ]
            for method, scores in scored.items()
        }


def main():
    """Print a table for planted and one for permuted labels."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--features", type=int, default=1000)
    parser.add_argument("--informative", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    for title, is_permuted in (("planted labels", False), ("permuted labels", True)):
        print(f"\n{title}\n\n| method | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}")
        found = [measured(parsed, seed, is_permuted) for seed in range(1, parsed.seeds + 1)]
        for method in found[0]:
            means = np.mean([one[method] for one in found], axis=0)
            cells = ["–" if np.isnan(mean) else f"{mean:.3f}" for mean in means]
            print(f"| {method} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
