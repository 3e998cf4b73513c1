"""Forests fitted by scikit-learn to the training rows of every fold, as fits like networks'.

Trees of survival are those of relative risk (LeBlanc and Crowley 1992): a row's events are counts
of a Poisson distribution around those that a model without genes expects until its time.
"""

import time
import warnings
from typing import Any

import numpy as np

from autogenome_tf import families
from autogenome_tf.core.seeds import derive
from autogenome_tf.nn.trees import Trees, rounded_down
from autogenome_tf.tasks.hazards import expected_events
from autogenome_tf.training._cross_validation import CrossValidation
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._plan import Fit, Plan
from autogenome_tf.training._solved import fit_of
from autogenome_tf.training._trials import Configuration

# Trees after which the clock is looked at.
STEP = 50
# Added to the events and to the expected events of a leaf, so that few rows say little: the gamma
# prior of R's rpart, of mean 1 and standard deviation 1.
PRIOR = 1.0


def left_out(cross_validation: CrossValidation, family: str) -> str:
    """Return why rows are not searched for forests, or nothing if they are, or it is no forest.

    A config that names `most_values`, as the default does, asks for forests where they are quick.

    Args:
        cross_validation: The rows.
        family: Name of a family.
    """
    if not families.is_of_trees(family):
        return ""
    given = cross_validation.settings.families.get(family)
    most = families.settings(family, given).get("most_values")
    if not most:
        return ""
    rows, genes = cross_validation.matrix.shape
    if cross_validation.is_streamed:
        return "its rows must fit data.memory"
    if np.isnan(cross_validation.targets).any():
        return "rows lack some of the targets"
    if rows * genes > most[0]:
        return f"{rows * genes:,} values are more than families.{family}.most_values, {most[0]:,}"
    return ""


def fitted(
    cross_validation: CrossValidation,
    inputs: FoldInputs,
    configuration: Configuration,
    plan: Plan,
    seed: int,
    repeats: int = 1,
) -> Fit:
    """Fit forests to the training rows of every fold; see `CrossValidation.fit`.

    All have as many trees as the first, which stops early to leave the others as much time.

    Args:
        cross_validation: Targets, weights and splits of the rows.
        inputs: The rows as the forests of each fold see them.
        configuration: Family and hyperparameters; missing ones take their defaults.
        plan: Its deadline counts.
        seed: Of the trees.
        repeats: Forests a fold, which differ in their seed.

    Raises:
        ValueError: Rows lack a target.
    """
    started, forests, outputs = time.monotonic(), [], []
    family = configuration.family
    if np.isnan(cross_validation.targets).any():
        raise ValueError(f"{family}: rows lack some of the targets; expected all of them")
    until = started + (plan.deadline - started) / (len(cross_validation.splits) * repeats)
    member: Any = families.member(family)
    defaults = {name: hyper.options[0] for name, hyper in families.space(family).items()}
    values = defaults | configuration.values
    count = values["trees"]
    for fold, (train, _) in enumerate(cross_validation.splits):
        rows, each = inputs.preprocessed(fold), []
        for repeat in range(repeats):
            model = member.estimator(values, cross_validation.task, len(train))
            model.set_params(random_state=derive(seed, f"repeat/{repeat}"), warm_start=True)
            _grow(model, _training(cross_validation, rows, train), count, until)
            count, until = len(model.estimators_), float("inf")
            each.append(_outputs(model, rows, cross_validation.task))
            forests.append(_trees(model, cross_validation.task))
        outputs.append(np.mean(each, axis=0))
    # Of one repeat after the other, as replicas of networks are.
    ordered = [forest for repeat in range(repeats) for forest in forests[repeat::repeats]]
    parameters = _parameters(ordered[0])
    return fit_of(cross_validation, outputs, [ordered], parameters=parameters, started=started)


def _training(cross_validation, rows, train):
    """Return inputs, targets and weights of training rows, as scikit-learn takes them."""
    targets, weights = cross_validation.targets[train], cross_validation.weights[train]
    if cross_validation.task.has_times:
        # The prior of a leaf is in units of these rows, whatever other rows weigh.
        weights = weights / weights.mean()
        expected = expected_events(targets, weights)
        # Rows censored before the first event say nothing.
        known = expected > 0
        rates = targets[known, 1] / expected[known]
        return rows[train[known]], rates, weights[known] * expected[known]
    targets = targets[:, 0] if targets.ndim > 1 and targets.shape[1] == 1 else targets
    return rows[train], targets, weights


def _grow(model, training, count, until):
    """Fit trees a step at a time, at most so many and at least one step, until the time is over."""
    for size in [*range(STEP, count, STEP), count]:
        with _own_warnings():
            # Classes of a fold may be few, and numbers of theirs many.
            warnings.filterwarnings("ignore", "The number of unique classes")
            model.set_params(n_estimators=size).fit(*training)
        if time.monotonic() > until:
            return


def _outputs(model, rows, task):
    """Return shares of classes, values or log-risks of all rows: (rows, outputs) float32."""
    if task.has_times:
        trees = model.estimators_
        return np.mean([_log_risks(one.tree_)[one.apply(rows)] for one in trees], axis=0)
    with _own_warnings():
        if task.has_classes:
            return _of_all_classes(model.predict_proba(rows), model, task)
        return model.predict(rows).reshape(len(rows), -1).astype("float32")


def _own_warnings():
    """Keep the filters of warnings: threads of scikit-learn change them and may not put them back.

    Two that end in another order than they began leave none, and all later ones warn of that.
    """
    return warnings.catch_warnings()


def _of_all_classes(shares, model, task):
    """Place (n, classes of the fold) among all classes; others have a share of 0."""
    found = np.zeros((len(shares), task.outputs), "float32")
    found[:, model.classes_] = shares
    return found


def _log_risks(tree):
    """Return the log of events over expected events in each node, (nodes, 1) float32."""
    expected = tree.weighted_n_node_samples[:, None]
    events = tree.value[:, :, 0] * expected
    return np.log((events + PRIOR) / (expected + PRIOR)).astype("float32")


def _trees(model, task):
    """Return the trees of a forest of scikit-learn."""
    weight = np.full(1, 1 / len(model.estimators_), "float32")
    return Trees.joined([_tree(one.tree_, model, task, weight) for one in model.estimators_])


def _tree(tree, model, task, weight):
    own, is_leaf = np.arange(tree.node_count), tree.children_left < 0
    children = np.stack([tree.children_left, tree.children_right], axis=1)
    if task.has_classes:
        values = _of_all_classes(tree.value[:, 0], model, task)
    elif task.has_times:
        values = _log_risks(tree)
    else:
        values = tree.value[:, :, 0].astype("float32")
    return Trees(
        np.zeros(1, int),
        np.maximum(tree.feature, 0),
        np.where(is_leaf, 0, rounded_down(tree.threshold)).astype("float32"),
        np.where(is_leaf[:, None], own[:, None], children),
        values,
        weight,
    )


def _parameters(trees):
    """Return the number of thresholds and of leaf values."""
    leaves = int(trees.is_leaf.sum())
    return len(trees.genes) - leaves + leaves * trees.values.shape[1]
