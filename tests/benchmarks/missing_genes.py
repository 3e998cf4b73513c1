"""Scores without genes of a given share of the importance, beside the interval with all genes.

    python tests/benchmarks/missing_genes.py

Protocol. For each set of ../shared/data that is named (all of those in `SETS` by default), two
configs are run with 5 folds and otherwise the defaults: the family `linear` alone, and an `mlp`
of 3 trials, 45 s at most. For each share (1, 2, 5, 10, 20 % of the final model's importance) and
each of `DRAWS` draws, genes are taken in random order as long as their importance stays within
the share: a gene that would exceed it is passed over. That is the largest random set that
`data.missing_genes` = share accepts. As the worst case the genes are taken from the most
important downwards by the same rule. The objective's out-of-fold score of all rows to learn from
is computed with these genes filled (`automl.LackingGenes` does the same for its warning) and with
all genes. A draw counts as inside where the score without the genes lies in the 95 % bootstrap
interval of the score with them.

The default of `data.missing_genes` is the largest share at which at least 95 % of the random
draws, over all sets and configs, and at least 80 % of those of each set, are inside.

A line a set, config and share: random draws inside, the worst draw's score, whether the foremost
genes stay inside; last a line a share over all.
"""

import argparse
import logging
import tempfile
from pathlib import Path

import numpy as np
import sets

import autogenome_tf as ag
from autogenome_tf.models import tables

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
DRAWS = 10
SETS = (
    "alon_colon", "golub_leukemia", "khan_srbct", "brca_tcga_subtype", "ctrp2_expression_drug",
    "liver_toxicity", "riboflavin", "brca_tcga_er", "pbmc3k", "tcga9_rnaseq",
)  # fmt: skip
CONFIGS = {
    "linear": {"families": {"linear": {"loss": ["logistic"]}}},
    "mlp": {"families": {"mlp": {}}},
}
TRIALS, SECONDS = 3, 45


def trained(one, name, folder):
    """Train a run of a set by one of the `CONFIGS`; return its session."""
    config = one.config(folder, max_trials=TRIALS, folds=5, max_seconds=SECONDS)
    config |= CONFIGS[name] | {"output": {"figures": False}}
    if one.task == "regression" and name == "linear":
        config["families"] = {"linear": {"loss": ["ridge"]}}
    automl = ag.AutoGenome(config)
    automl.train()
    return automl._session


def within(order, importance, share):
    """Take genes in an order as long as their importance sums to no more than a share."""
    taken, total = [], 0.0
    for gene in order:
        if importance[gene] > 0 and total + importance[gene] <= share:
            taken.append(gene)
            total += importance[gene]
    return taken


class Effect:
    """The score of a run's rows with some genes absent.

    Args:
        session: Of a trained run.
    """

    def __init__(self, session):
        self._model, self._name = session.model(), session.config.objective
        self._measured = session.lacking_genes(self._model).measured()
        self.importance = self._model.importance
        print(f"# {session.config.name}: {self._measured.words}", flush=True)

    def of(self, genes):
        """Return the score with all genes, that without some, and whether this lies within."""
        names, one = [self._model.features[gene] for gene in genes], self._measured
        full, without = (
            found[self._name]
            for found in tables.without_genes(one.model, one.rows, names, 1, fold=one.fold)
        )
        return full, without, full["low"] <= without["value"] <= full["high"]


def lines(effect, share):
    """Return random draws inside, their number, their scores, and the foremost genes' outcome."""
    draws = [
        effect.of(within(np.random.default_rng(seed).permutation(len(effect.importance)),
                         effect.importance, share))
        for seed in range(DRAWS)
    ]  # fmt: skip
    foremost = within(np.argsort(-effect.importance), effect.importance, share)
    return draws, foremost, effect.of(foremost)


def run_set(one, name, counts):
    """Print the lines of a set and config; add the draws inside to the counts."""
    with tempfile.TemporaryDirectory() as folder:
        effect = Effect(trained(one, name, folder))
        for share in SHARES:
            draws, foremost, worst = lines(effect, share)
            inside = sum(is_inside for _, _, is_inside in draws)
            full, found = draws[0][0], [without["value"] for _, without, _ in draws]
            counts.setdefault(share, []).append((one.name, inside, worst[2]))
            print(
                f"{one.name}\t{name}\t{share:.2f}\t{full['value']:.3g} ({full['low']:.3g} to "
                f"{full['high']:.3g})\t{inside}/{DRAWS}\t{min(found):.3g} to {max(found):.3g}\t"
                f"{len(foremost)} foremost: {worst[1]['value']:.3g} "
                f"{'inside' if worst[2] else 'outside'}",
                flush=True,
            )


def main():
    """Run the sets that are named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, default=sets.SHARED)
    parser.add_argument("names", nargs="*", default=SETS)
    given = parser.parse_args()
    logging.getLogger("autogenome_tf").setLevel(logging.ERROR)
    counts = {}
    for one in sets.sets(given.folder, given.names):
        for name in CONFIGS:
            run_set(one, name, counts)
    for share, found in counts.items():
        inside, worst = (sum(one[place] for one in found) for place in (1, 2))
        least = {name: sum(i for n, i, _ in found if n == name) for name, *_ in found}
        print(
            f"all\t{share:.2f}\trandom {inside}/{len(found) * DRAWS} inside, of one set at least "
            f"{min(least.values())}/{len(CONFIGS) * DRAWS}; foremost {worst}/{len(found)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
