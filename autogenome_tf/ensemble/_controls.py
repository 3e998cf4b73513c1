"""Networks of a trial trained anew as evidence: other seeds, controls, a null of interactions."""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._refit import Refit, train
from autogenome_tf.models import Predictor
from autogenome_tf.nn.dense_weights import to_dense_weights
from autogenome_tf.training import CrossValidation, Plan, Trial

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
        self._model, self._wired = found.model(), rows.network(trial.family, trial.values)
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
    factors = rows.factors(trial.family, trial.values)
    return (
        np.ones(rows.fold_inputs(trial.family, trial.values).width)
        if factors is None
        else factors[0]
    )


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
    values = np.array(rows.rows(trial.family, trial.values).inputs[0])
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
    fit = rows.fit_inputs(
        trial.family, trial.values, shuffled, plan, weights_seed, np.stack(weights)
    )
    return orders, weights, fit
