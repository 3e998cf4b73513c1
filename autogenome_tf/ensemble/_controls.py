"""Networks of a trial trained anew as evidence: other seeds, controls, a null of interactions."""

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._refit import Refit, train
from autogenome_tf.models import Predictor
from autogenome_tf.nn.dense_weights import to_dense_weights
from autogenome_tf.training import CrossValidation, Plan, Splits, Trial

# Controls of each kind that are trained at once, and start alike.
TOGETHER = 5


class Retraining:
    """Train a trial anew as the final model is trained, with other seeds, rows or targets.

    Args:
        prepare: Returns the rows that the trial was found on; called once, at the first use.
        seed: The config's.
    """

    def __init__(self, prepare: Callable[[], CrossValidation], seed: int):
        self._prepare, self._seed = prepare, seed

    @functools.cached_property
    def cross_validation(self) -> CrossValidation:
        """Return the rows that trials were found on."""
        return self._prepare()

    @property
    def is_possible(self) -> bool:
        """Return whether several networks can be trained; they may need the rows in memory."""
        return self.cross_validation.is_repeatable

    def seeds(self, trial: Trial, count: int) -> list[Predictor]:
        """Train a trial with so many other seeds.

        Args:
            trial: Trial whose seeds are drawn.
            count: Number of seeds.

        Returns:
            A model for each seed; a single one for a family whose loss has a single minimum.
        """
        found = train(self.cross_validation, trial, derive(self._seed, "seeds"), count)
        return [found.model(replica) for replica in found.replicas]

    def unseen(self, trial: Trial, splits: Splits | None = None) -> np.ndarray:
        """Train a trial on other splits and return outputs for rows that its networks had not seen.

        Args:
            trial: Family and hyperparameters.
            splits: (train rows, validation rows) of each fit; None: those of the search.

        Returns:
            (rows, outputs): calibrated logits, or values in original units; NaN for rows that do
            not validate.
        """
        rows = self.cross_validation
        scale, offset = rows.task.output_scale()
        rows = rows if splits is None else rows.with_splits(splits)
        return _unseen(rows, trial, self._seed) * scale + offset

    def shuffled_scores(
        self, trial: Trial, count: int, metrics: Sequence[str], groups: np.ndarray | None = None
    ) -> np.ndarray:
        """Train a trial on targets in other orders; return its out-of-fold scores for each.

        Targets change places within the validation rows of a fold, so that folds stay balanced.

        Args:
            trial: Family and hyperparameters.
            count: Number of orders.
            metrics: Names of the metrics.
            groups: (rows,) group of each row, whose targets move together among all rows; None:
                rows are exchangeable.

        Returns:
            (count, metrics) scores: the null distributions of a permutation test.
        """
        rows, validated, scores = self.cross_validation, self.cross_validation.validation_rows, []
        for number in range(count):
            seed = derive(self._seed, f"permutation/{number}")
            random = np.random.default_rng(seed)
            targets = (
                _within_folds(rows, random)
                if groups is None
                else permuted_groups(rows.targets, groups, random)
            )
            outputs = _unseen(rows.with_targets(targets), trial, seed)
            known = targets[validated], outputs[validated], rows.weights_of(validated)
            scores.append([rows.task.score(metric, *known) for metric in metrics])
        return np.array(scores)

    def of_sizes(self, trial: Trial, fractions: Sequence[float]) -> Iterator[np.ndarray]:
        """Train a trial on growing parts of the training rows of each fold.

        Args:
            trial: Family and hyperparameters.
            fractions: Parts of the training rows, above 0 and at most 1; smaller ones are within
                larger ones, with equal shares of the classes.

        Yields:
            As `unseen`, for each part.
        """
        splits = self.cross_validation.splits
        orders = [
            _stratified_order(self.cross_validation, learned, derive(self._seed, f"size/{fold}"))
            for fold, (learned, _) in enumerate(splits)
        ]
        for part in fractions:
            kept = [np.sort(order[: max(2, round(part * len(order)))]) for order in orders]
            own = zip(kept, (validation for _, validation in splits), strict=True)
            yield self.unseen(trial, list(own))

    def additive_null(self, trial: Trial, baseline: Trial, count: int) -> Iterator[Predictor]:
        """Train a trial on targets that a linear model explains, so that no genes act together.

        The baseline is fitted; then classes are drawn by its probabilities, or its values get its
        own residuals in another order, and the trial is trained on those (a parametric bootstrap of
        the hypothesis that effects add up).

        Args:
            trial: To train.
            baseline: The linear model's.
            count: How many times.

        Yields:
            A model for each.
        """
        rows = self.cross_validation
        additive = train(rows, baseline, seed=1)
        outputs, whole = additive.model().outputs(rows.matrix), additive.cross_validation
        for number in range(count):
            seed = derive(self._seed, f"null/{number}")
            targets = rows.task.drawn(outputs, rows.targets, np.random.default_rng(seed))
            drawn, last = rows.with_targets(targets), whole.with_targets(targets)
            yield train(drawn, trial, seed, whole=last).model()
        rows.forget_steps()

    def controls(self, trial: Trial, count: int) -> Iterator[tuple[str, Predictor, np.ndarray]]:
        """Train a trial with so many seeds, and as often on rows that carry less information.

        Networks of the first control see the genes in another order, so that each unit is connected
        to as many genes as before but to other ones; those of the second see rows that belong to
        other targets. They learn for as many epochs, at the same rates.

        Args:
            trial: To train, on rows in memory.
            count: Networks of each kind.

        Yields:
            For each network its kind ("trained", "genes", "labels"), a `Predictor` whose network it
            is until the next one comes, and the (inputs,) order in which it sees genes.
        """
        seed = derive(self._seed, "controls")
        found = train(self.cross_validation, trial, seed, count)
        models = _Reused(found)
        for replica in found.replicas:
            yield "trained", models.of(found.fit, replica, models.weights), models.inputs
        for start in range(0, count, TOGETHER):
            together = min(TOGETHER, count - start)
            orders, weights, fit = _shuffled(found, models.inputs, together, seed, start)
            for replica, order in enumerate(orders):
                kind = "genes" if replica < together else "labels"
                yield kind, models.of(fit, replica, weights[replica]), order


def _unseen(rows, trial, seed):
    """Return the calibrated out-of-fold outputs of a trial trained anew, as networks learn them."""
    settings, seeds = rows.settings.training, rows.seeds_of(trial.family)
    plan = Plan.of(settings, settings.epochs)
    repeats = seeds if seeds > 1 else None
    fit = rows.fit(trial.configuration, plan, derive(seed, "unseen"), repeats)
    return rows.judge(trial, fit).calibrated


def _within_folds(rows, random):
    """Return targets in another order within the validation rows of each fold, and the others."""
    targets, others = rows.targets.copy(), np.ones(len(rows.targets), bool)
    for _, validation in rows.splits:
        targets[validation] = rows.targets[random.permutation(validation)]
        others[validation] = False
    places = np.flatnonzero(others)
    targets[places] = rows.targets[random.permutation(places)]
    return targets


def permuted_groups(
    targets: np.ndarray, groups: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Return targets in another order of whole groups.

    Where each group has a single target, a group gets that of another; else targets move as blocks,
    so that those of one group stay side by side (Winkler et al. 2015, "Multi-level block
    permutation").

    Args:
        targets: (rows,) or (rows, targets).
        groups: (rows,) names of groups.
        random: Generator of the order.
    """
    names, own = np.unique(groups.astype(str), return_inverse=True)
    order = random.permutation(len(names))
    first = targets[np.unique(own, return_index=True)[1]]
    if np.array_equal(first[own], targets, equal_nan=True):
        return first[order][own]
    blocks = [np.flatnonzero(own == place) for place in range(len(names))]
    found = targets.copy()
    found[np.concatenate(blocks)] = targets[np.concatenate([blocks[place] for place in order])]
    return found


def _stratified_order(rows, learned, seed):
    """Return training rows in an order whose every beginning has equal shares of the classes."""
    random = np.random.default_rng(seed)
    strata = rows.targets[learned] if rows.task.has_classes else np.zeros(len(learned), int)
    ranks = np.empty(len(learned))
    for stratum in np.unique(strata):
        places = np.flatnonzero(strata == stratum)
        ranks[random.permutation(places)] = (np.arange(len(places)) + random.random()) / len(places)
    return learned[np.argsort(ranks, kind="stable")]


class _Reused:
    """One model whose network takes the weights of any replica: making a model takes longer.

    Args:
        found: The `Refit` of a trial.

    Attributes:
        inputs: (inputs,) numbers of its network's inputs.
        weights: (inputs,) factors of them while training, from gene power.
    """

    def __init__(self, found: Refit):
        trial, rows = found.result.trial, found.cross_validation
        self._model, self._wired = found.model(), rows.network(trial.configuration)
        self._network = self._model.branches[0].network
        self.inputs = np.arange(self._network.input_shape[-1])
        self.weights = _gene_weights(rows, trial)

    def of(self, fit, replica, weights):
        """Return the model with the weights of a replica that saw inputs times (inputs,)."""
        own = [stack[replica : replica + 1] for stack in fit.weights]
        kernel, *others = (stack[0] for stack in to_dense_weights(self._wired, own))
        self._network.set_weights([kernel * weights[:, None], *others])
        return self._model


def _gene_weights(rows, trial):
    """Return the factor of each input of a network of genes on the first fold, (inputs,)."""
    factors = rows.factors(trial.configuration)
    return np.ones(rows.fold_inputs(trial.configuration).width) if factors is None else factors[0]


def _shuffled(found, inputs, count, seed, start):
    """Train networks on genes in other orders, and as many on rows with other targets.

    Args:
        found: The `Refit` of a trial.
        inputs: (inputs,) numbers of its network's inputs.
        count: Networks of each kind.
        seed: Of all controls.
        start: Number of the first.

    Returns:
        The (inputs,) order of each network's genes, the (inputs,) factors of these, and the `Fit`.
    """
    trial, rows = found.result.trial, found.cross_validation
    own = found.on_folds
    plan = Plan.of(rows.settings.training, own.best_epoch, rates=own.rates)
    values = np.array(rows.rows(trial.configuration).inputs[0])
    train_rows = rows.splits[0][0]
    random = np.random.default_rng(derive(seed, f"controls/{start}"))
    orders = [*(random.permutation(inputs) for _ in range(count)), *[inputs] * count]
    shuffled = np.stack([values[:, order] for order in orders])
    weights = [_gene_weights(rows, trial)[order] for order in orders[:count]]
    for other in shuffled[count:]:
        origins = random.permutation(train_rows)
        other[train_rows] = other[origins]
        # Genes are weighed by the targets that rows now have.
        targets = rows.targets.copy()
        targets[origins] = rows.targets[train_rows]
        weights.append(_gene_weights(rows.with_targets(targets), trial))
    weights_seed = derive(seed, f"weights/{start}")
    fit = rows.fit_inputs(trial.configuration, shuffled, plan, weights_seed, np.stack(weights))
    return orders, weights, fit
