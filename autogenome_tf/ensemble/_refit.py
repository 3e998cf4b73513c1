"""From the best trial to one final network: how long, how well, and then on all rows."""

import logging
import time

import numpy as np
import pandas as pd

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._final import Final, gates
from autogenome_tf.nn.layers import to_dense_weights
from autogenome_tf.training import Plan

log = logging.getLogger(__name__)

# The fit on folds may use this much of the time left; the refit on all rows needs the rest.
FOLDS_SHARE = 0.7
# Controls of each kind that are trained at once, and start alike.
TOGETHER = 5


def refit(folds, winner, config, deadline=float("inf")):
    """Train the winner for as long as it gains.

    With one fit a trial, that fit on the training rows is final, its best weights restored by
    early stopping. With folds, they tell the number of epochs, the learning rates and the
    temperature, and a network on all rows is trained with those.

    Args:
        folds: `NetworkCrossValidation` the winner was found on.
        winner: A `Trial`.
        config: The whole `Config`.
        deadline: `time.monotonic()` after which no further epoch starts.

    Returns:
        A `Final`.
    """
    log.info("final fit: %s %s", winner.family, winner.values)
    seed = derive(config.seed, "fit")
    outcome, final, last = _fitted(folds, winner, config, seed, 1, deadline)
    predictor = final.final_model(winner.family, winner.values, last, outcome.temperature)
    history = pd.DataFrame(outcome.fit.history)
    found = [] if last.gates is None else [(1.0, final, winner, last)]
    return Final.of(folds, predictor, history, outcome.outputs, outcome.temperature, gates(found))


def with_seeds(folds, trial, config, count):
    """Train a trial as `refit` does, with so many other seeds at once.

    Returns:
        A list of `Predictor`s; a single one for a family whose loss has a single minimum.
    """
    seed = derive(config.seed, "seeds")
    outcome, final, last = _fitted(folds, trial, config, seed, count)
    replicas = range(0, len(last.weights[0]), len(final.splits))
    return [
        final.final_model(trial.family, trial.values, last, outcome.temperature, replica)
        for replica in replicas
    ]


def without_interactions(folds, linear, trial, config, count):
    """Train a trial on targets that a linear model explains, so that no genes act together.

    The linear reference is fitted; then classes are drawn by its chances, or its values get its
    own residuals in another order, and the trial is trained on those as `refit` does (a parametric
    bootstrap of the hypothesis that effects add up).

    Args:
        folds: `NetworkCrossValidation` the trial was found on.
        linear: The `Trial` of the linear reference.
        trial: The `Trial` to train.
        config: The whole `Config`.
        count: How many times.

    Yields:
        A `Predictor` for each.
    """
    outcome, final, last = _fitted(folds, linear, config, 1, 1)
    additive = final.final_model("linear", linear.values, last, outcome.temperature)
    outputs = additive.outputs(folds.matrix)
    for number in range(count):
        seed = derive(config.seed, f"null/{number}")
        targets = folds.task.drawn(outputs, folds.targets, np.random.default_rng(seed))
        drawn, whole = folds.with_targets(targets), final.with_targets(targets)
        outcome, _, last = _fitted(drawn, trial, config, seed, 1, whole=whole)
        yield whole.final_model(trial.family, trial.values, last, outcome.temperature)
    folds.forget_steps()


def with_controls(folds, trial, config, count):
    """Train a trial as `refit` does with so many seeds, and as often on rows that tell less.

    Networks of the first control see the genes in another order, so that each unit is connected to
    as many genes as before but to other ones; those of the second see rows that belong to other
    targets. They learn for as many epochs, at the same rates.

    Args:
        folds: `NetworkCrossValidation` the trial was found on, in memory.
        trial: The `Trial`.
        config: The whole `Config`.
        count: Networks of each kind.

    Yields:
        For each network its kind ("trained", "genes", "labels"), a `Predictor` whose network it
        is until the next one comes, and the (inputs,) order in which it sees genes.
    """
    seed = derive(config.seed, "controls")
    outcome, final, last = _fitted(folds, trial, config, seed, count)
    family, chosen = trial.family, trial.values
    predictor = final.final_model(family, chosen, last, outcome.temperature)
    network, wired = predictor.branches[0].network, final.network(family, chosen)
    inputs = np.arange(network.input_shape[-1])

    def become(fit, replica):
        weights = to_dense_weights(wired, [stack[replica : replica + 1] for stack in fit.weights])
        network.set_weights([stack[0] for stack in weights])

    for replica in range(0, len(last.weights[0]), len(final.splits)):
        become(last, replica)
        yield "trained", predictor, inputs
    rates = [line["learning_rate"] for line in outcome.fit.history]
    plan = Plan.of(config.training, outcome.fit.best_epoch, rates=rates)
    rows, train = np.array(final.rows(family, chosen).inputs[0]), final.splits[0][0]
    for start in range(0, count, TOGETHER):
        chance = np.random.default_rng(derive(seed, f"controls/{start}"))
        some = range(min(TOGETHER, count - start))
        orders = [*(chance.permutation(inputs) for _ in some), *(inputs for _ in some)]
        views = np.stack([rows[:, order] for order in orders])
        for view in views[len(some) :]:
            view[train] = view[chance.permutation(train)]
        fit = final.fit_inputs(family, chosen, views, plan, derive(seed, f"weights/{start}"))
        for replica, order in enumerate(orders):
            become(fit, replica)
            yield "genes" if replica < len(some) else "labels", predictor, order


def _fitted(folds, trial, config, seed, count, deadline=float("inf"), whole=None):
    """What folds say of a trial, the rows of its last fit, and that fit of `count` networks.

    Where `whole` are rows of a last fit already, compiled steps are kept for the next.
    """
    share = FOLDS_SHARE if len(folds.splits) > 1 else 1.0
    now = time.monotonic()
    plan = Plan.of(config.training, config.training.epochs, now + share * (deadline - now))
    is_last = len(folds.splits) == 1
    # One network a fold, since one will be the final one.
    fit = folds.fit(trial.family, trial.values, plan, seed, repeats=count if is_last else 1)
    outcome = folds.judge(fit)
    if whole is None:
        folds.forget_steps()
    if is_last:
        return outcome, folds, fit
    final = whole or folds.on_all_rows()
    rates = [line["learning_rate"] for line in fit.history]
    plan = Plan.of(config.training, fit.best_epoch, deadline, rates)
    return outcome, final, final.fit(trial.family, trial.values, plan, seed, repeats=count)
