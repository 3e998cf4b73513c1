"""Refusals of what rows that are read batch by batch cannot be asked for."""

from autogenome_tf import families
from autogenome_tf.core.errors import InputError
from autogenome_tf.training._cross_validation import CrossValidation
from autogenome_tf.training._forests import left_out


def check_streaming(rows: CrossValidation) -> None:
    """Refuse what needs all rows in memory where they do not fit.

    Args:
        rows: The cross-validation of the rows, which knows whether they are streamed.

    Raises:
        InputError: Naming what needs them, and what to do.
    """
    if rows.workers and not rows.is_streamed:
        raise InputError(
            "TF_CONFIG: several processes share batches of rows that are read batch by batch, "
            f"and {rows.matrix.shape[0]} x {rows.genes} values fit data.memory; unset "
            "TF_CONFIG, or search by chief and workers (--role)."
        )
    data, networks = rows.settings.data, {rows.settings.repeats, rows.settings.seeds}
    trees = [name for name in rows.settings.families if families.is_of_trees(name)]
    trees = [name for name in trees if not left_out(rows, name)]
    if rows.is_streamed and trees:
        raise InputError(
            f"families.{trees[0]}: trees are fitted to all rows, and {rows.matrix.shape[0]} x "
            f"{rows.genes} values do not fit data.memory; set a larger data.memory, or leave "
            f"{trees[0]} out."
        )
    if rows.is_streamed and rows.task.is_of_sets:
        raise InputError(
            f"task.loss {rows.task.losses[0]}: the loss compares all rows of a fold, and "
            f"{rows.matrix.shape[0]} x {rows.genes} values do not fit data.memory; set a "
            "larger data.memory, give a matrix of fewer genes, or set task.loss hazard."
        )
    if rows.is_streamed and rows.task.is_of_several:
        raise InputError(
            f"task.type {rows.task.type}: learned in memory only, and {rows.matrix.shape[0]} x "
            f"{rows.genes} values do not fit data.memory; set a larger data.memory, or give each "
            "target a run of its own."
        )
    several = len(rows.splits) > 1 or networks - {"auto", 1}
    if rows.is_streamed and (several or data.missing == "median" or "rank" in data.transforms):
        raise InputError(
            f"{rows.matrix.shape[0]} x {rows.genes} values do not fit the memory for "
            "search.folds, search.repeats or ensemble.seeds above 1, data.missing median or "
            "data.transform rank; set search.folds to 1, search.repeats to 1, ensemble.seeds to "
            "1, and another data.missing or data.transform."
        )
