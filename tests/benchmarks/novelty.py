"""Novelty of rows of a class that training has not seen, by three scores.

    python tests/benchmarks/novelty.py
    python tests/benchmarks/novelty.py --sets pbmc3k --classes 3
    python tests/benchmarks/novelty.py --product

Protocol, written before the first run. Of each set 1,000 rows are drawn, stratified by class, with
a fixed seed; genes are transformed as in the other benchmarks, and the 2,000 that vary most on the
training rows are standardised by them. Each class of at least 20 drawn rows, the 8 largest at most,
is left out in turn: four fifths of the other rows, stratified, train a network (one layer of 64
rectifiers, dropout 0.2, Adam at 0.001, 30 epochs in batches of 64); the last fifth are the known
rows. The score is the AUROC with which novelty separates the rows of the class left out from the
known rows; printed is the mean over classes, for each set and over sets:

- anchor: 1 - the largest probability;
- span: the share of a row's squared standardised length outside the span of the training rows, or
  of the leading half of their principal components where rows outnumber genes;
- layer: the smallest Mahalanobis distance in the last hidden layer from a class mean of the
  training rows, with one covariance for all classes, shrunk as Ledoit and Wolf do (Lee et al. 2018,
  "A simple unified framework for detecting out-of-distribution samples");
- outputs: the same in the outputs, less their mean, with class means and covariance of outputs for
  training rows out of five folds. Added after a first run of the others, in which `layer` was above
  the anchor on all sets, and before its own: linear models, trees and averages of networks have
  outputs, but no hidden layer in common. The rule below holds for it by itself.

Sets have at least three classes: of two, as in pancreas_3batches, a network that one is left out of
has nothing to choose between.

With --product, instead of this network, a run of the default families (8 trials, averaged) learns
from the same rows, and its 1 - largest probability and 1 - `novelty_p` are scored.

A p-value that compares a row with rows not trained on is a decreasing function of the score, so its
AUROC is the same. A score becomes part of predictions if its mean over sets is above the anchor's
and it is above the anchor on at least 3 of the 4 sets; of two such, the one with the higher mean.
"""

import argparse

import keras
import numpy as np
import sklearn.covariance
import sklearn.metrics
import sklearn.model_selection
from sets import sets

import autogenome_tf as ag

NAMES = ("pbmc3k", "cellbench_3lines", "tcga9_rnaseq", "zeisel_3types")
ROWS, GENES, FEWEST = 1000, 2000, 20
SCORES = ("anchor", "span", "layer", "outputs")
OF_RUNS = ("1 - largest probability", "1 - novelty_p")


def drawn(one):
    """At most `ROWS` rows of a set, with their classes."""
    samples, values = one.matrix()
    classes = one.truth(samples)
    rows = np.arange(len(classes))
    if len(rows) > ROWS:
        names, counts = np.unique(classes, return_counts=True)
        rows = rows[np.isin(classes, names[counts > 1])]
        rows, _ = sklearn.model_selection.train_test_split(
            rows, train_size=ROWS, stratify=classes[rows], random_state=0
        )
    return values[rows], classes[rows]


def standardised(train, *others):
    """The most variable genes of training rows and other rows, by constants of the former."""
    genes = np.argsort(-train.var(axis=0))[:GENES]
    mean, deviation = train[:, genes].mean(axis=0), train[:, genes].std(axis=0) + 1e-9
    return [((x[:, genes] - mean) / deviation).astype("float32") for x in (train, *others)]


def network(x, y):
    """A network of one hidden layer, trained, and its layer's outputs as a model."""
    keras.utils.set_random_seed(1)
    genes = keras.Input((x.shape[1],))
    hidden = keras.layers.Dense(64, "relu")(genes)
    outputs = keras.layers.Dense(int(y.max()) + 1)(keras.layers.Dropout(0.2)(hidden))
    model = keras.Model(genes, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(x, y, batch_size=64, epochs=30, verbose=0)
    return model, keras.Model(genes, hidden)


def outside(train, x):
    """Share of each row's squared length outside the span of training rows."""
    _, _, directions = np.linalg.svd(train, full_matrices=False)
    directions = directions[: len(train) - 1]
    if len(train) > train.shape[1]:
        directions = directions[: train.shape[1] // 2]
    inside = ((x @ directions.T) ** 2).sum(axis=1)
    return 1 - inside / (x**2).sum(axis=1)


def distance(train, y, x):
    """Smallest Mahalanobis distance of each row from a class mean."""
    means = np.stack([train[y == place].mean(axis=0) for place in range(y.max() + 1)])
    shrunk = sklearn.covariance.LedoitWolf(assume_centered=True).fit(train - means[y])
    apart = x[:, None, :] - means
    return np.einsum("rci,ij,rcj->rc", apart, shrunk.precision_, apart).min(axis=1)


def out_of_fold(x, y):
    """Outputs for each row of a network that has not seen it, less their mean."""
    found = np.zeros((len(x), y.max() + 1), "float32")
    folds = sklearn.model_selection.StratifiedKFold(5, shuffle=True, random_state=0)
    for train, validation in folds.split(x, y):
        found[validation] = centred(network(x[train], y[train])[0](x[validation]))
    return found


def centred(outputs):
    """Outputs less their mean, which no probability depends on."""
    outputs = np.asarray(outputs)
    return outputs - outputs.mean(axis=1, keepdims=True)


def of_a_network(x, y, asked):
    """Each of `SCORES` of rows, by a network trained on others."""
    model, hidden = network(x, y)
    logits = np.asarray(model(asked))
    probabilities = np.asarray(keras.ops.softmax(logits))
    return (
        1 - probabilities.max(axis=1),
        outside(x, asked),
        distance(np.asarray(hidden(x)), y, np.asarray(hidden(asked))),
        distance(out_of_fold(x, y), y, centred(logits)),
    )


def of_a_run(x, y, asked):
    """Each of `OF_RUNS` of rows, by a run on others."""
    config = {"data": {"transform": "none"}}
    model = ag.AutoGenomeClassifier(
        max_trials=8, ensemble_size="auto", config=config, random_state=0
    )
    model.fit(x, np.char.add("class ", y.astype(str)))
    return 1 - model.predict_proba(asked).max(axis=1), 1 - model.novelty(asked)


def aurocs(values, classes, name, scores):
    """AUROC of each score where a class is left out."""
    known = np.flatnonzero(classes != name)
    _, codes = np.unique(classes[known], return_inverse=True)
    few = np.bincount(codes)[codes] < 2
    train, test = sklearn.model_selection.train_test_split(
        np.flatnonzero(~few), test_size=0.2, stratify=codes[~few], random_state=0
    )
    x, tested, new = standardised(
        values[known[train]], values[known[test]], values[classes == name]
    )
    _, y = np.unique(codes[train], return_inverse=True)
    asked, is_new = np.vstack([tested, new]), np.repeat([0, 1], [len(tested), len(new)])
    return [sklearn.metrics.roc_auc_score(is_new, score) for score in scores(x, y, asked)]


def main():
    """Print a line for each set, and the mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=NAMES)
    parser.add_argument("--classes", type=int, default=8)
    parser.add_argument("--product", action="store_true", help="score runs of this package")
    parsed = parser.parse_args()
    scores, heads = (of_a_run, OF_RUNS) if parsed.product else (of_a_network, SCORES)
    print("| set | classes | " + " | ".join(heads) + " |\n|---|" + "--:|" * (1 + len(heads)))
    means = []
    for one in sets(names=parsed.sets):
        values, classes = drawn(one)
        names, counts = np.unique(classes, return_counts=True)
        order = np.argsort(-counts)[: parsed.classes]
        chosen = [names[place] for place in order if counts[place] >= FEWEST]
        means.append(np.mean([aurocs(values, classes, name, scores) for name in chosen], axis=0))
        _print(one.name, len(chosen), means[-1])
    _print("mean", "", np.mean(means, axis=0))


def _print(name, count, found):
    print(f"| {name} | {count} | " + " | ".join(f"{x:.3f}" for x in found) + " |", flush=True)


if __name__ == "__main__":
    main()
