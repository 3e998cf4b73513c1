"""AnnData in, AnnData out, so that scanpy's tools and plots go on from here.

What is trained stays in a run folder, as from a config; cells without a label are predicted too.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from autogenome_tf.automl import AutoGenome
from autogenome_tf.config import merged
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import is_annotated
from autogenome_tf.run import Run
from autogenome_tf.tasks import as_text


def classify(
    adata: Any,
    key: str,
    config: dict[str, Any] | None = None,
    stages: Sequence[str] = ("train", "evaluate"),
) -> AutoGenome:
    """Learn the classes in a column of `obs` and predict them for every cell.

    Args:
        adata: AnnData of (cells, genes); X is taken as it is.
        key: Column of `obs` to predict. Cells without a value are not learned from.
        config: Further keys of a config, as nested dicts.
        stages: Stages to run.

    Returns:
        The `AutoGenome`. In `adata.obs` are then <key>_predicted (values of the column `key`, so
        that `==` compares both; categorical, or of the column's type where that is an extension
        type of pandas), <key>_confidence (the probability of the predicted class) and <key>_part
        (train, validation, test, or new).

    Raises:
        InputError: Where the column is missing or holds nothing to learn.
    """
    automl, found, part = _learned(adata, [key], key, merged({"name": "classify"}, config), stages)
    _write_labels(adata, key, found)
    adata.obs[f"{key}_part"] = pd.Categorical(part)
    return automl


def _write_labels(adata, key, found):
    """Write predicted labels and their probability into `obs`."""
    probabilities = found.filter(regex="^p_")
    classes = [name.removeprefix("p_") for name in probabilities]
    adata.obs[f"{key}_predicted"] = _as_in(adata.obs[key], found["prediction"], classes)
    adata.obs[f"{key}_confidence"] = probabilities.max(axis=1).to_numpy()


def _as_in(column, names, classes):
    """Return names of classes, which are text, as the values of the column that they are of.

    They stay text where a class is of no value, such as the one that `data.rare_classes` makes.
    """
    values = {as_text(value): value for value in column.dropna().unique()}
    if not values.keys() >= set(classes):
        return pd.Categorical(names)
    found = pd.array(names.map(values).to_numpy(), dtype=column.dtype)
    # pandas does not compare categories with missing values of types such as "boolean".
    is_own = isinstance(column.dtype, pd.api.extensions.ExtensionDtype)
    return found if is_own else pd.Categorical(found)


def survival(
    adata: Any,
    time: str,
    event: str,
    config: dict[str, Any] | None = None,
    stages: Sequence[str] = ("train", "evaluate"),
) -> AutoGenome:
    """Learn the time to an event from two columns of `obs` and predict it for every sample.

    Args:
        adata: AnnData of (samples, genes); X is taken as it is.
        time: Column of `obs`: time to the event, or to the last visit, above 0.
        event: Column of `obs`: whether the event was seen, as `data.target` takes it. Samples
            without time or event are not learned from.
        config: Further keys of a config, as nested dicts.
        stages: Stages to run.

    Returns:
        The `AutoGenome`. In `adata.obs` are then <time>_risk (the log-risk: higher is an earlier
        event), <time>_median (the time that half of such samples reach without the event; NaN
        beyond follow-up) and <time>_part (train, validation, test, or new), and in
        ``adata.obsm["<time>_survival"]`` a DataFrame (samples, times) of the probability of no
        event until each time.

    Raises:
        InputError: Where a column is missing or holds nothing to learn.
    """
    given = {"name": "survival", "task": {"type": "survival"}}
    columns = [time, event]
    automl, found, part = _learned(adata, columns, columns, merged(given, config), stages)
    adata.obs[f"{time}_risk"] = found["risk"].to_numpy()
    adata.obs[f"{time}_median"] = found["median"].to_numpy()
    adata.obs[f"{time}_part"] = pd.Categorical(part)
    curves = found.filter(regex="^survival_").rename(columns=lambda name: name.split("_")[1])
    adata.obsm[f"{time}_survival"] = curves.set_axis(adata.obs_names)
    return automl


def _learned(adata, columns, target, config, stages):
    """Run on the rows with a value in all columns; predict all; return their parts too."""
    cells = _annotated(adata)
    if not adata.obs_names.is_unique:
        cells = adata.copy()
        cells.obs_names_make_unique()
    known = cells
    if set(columns) <= set(cells.obs) and cells.obs[columns].isna().any(axis=None):
        known = cells[cells.obs[columns].notna().all(axis=1)]
    automl = AutoGenome(config, data=(known, target))
    automl.run(stages)
    split = Run(automl.folder).read_table("split.tsv")
    part = split.set_index("sample")["part"].reindex(cells.obs_names).fillna("new")
    return automl, automl.predict(cells), part.to_numpy()


def _annotated(adata):
    """Return an AnnData, or refuse what is none."""
    if not is_annotated(adata):
        raise InputError(
            f"adata: expected an AnnData, to which results are added; received "
            f"{type(adata).__name__}. autogenome_tf.AutoGenome takes tables of other kinds."
        )
    return adata


def resvae(
    adata: Any,
    latent: int = 16,
    likelihood: str = "auto",
    key: str | None = None,
    config: dict[str, Any] | None = None,
    stages: Sequence[str] = ("train",),
    labels: str = "none",
) -> AutoGenome:
    """Learn a latent space of the cells.

    Args:
        adata: AnnData of (cells, genes); X is taken as it is.
        latent: Number of latent units.
        likelihood: auto (by the values), gaussian, bernoulli, negative_binomial or zero_inflated.
        key: Column of `obs` with labels, or None. They score the space where the stage evaluate is
            run.
        config: Further keys of a config, as nested dicts.
        stages: Stages to run.
        labels: "semi": labels shape the space too, and cells without one take part. Only cells of a
            test part score it then, and by default there is none: ask for one by `config`,
            ``{"data": {"split": {"test": 0.2}}}``. "none": labels do not shape it.

    Returns:
        The `AutoGenome`. ``adata.obsm["X_resvae"]`` holds (cells, latent) means then, for
        ``scanpy.pp.neighbors(adata, use_rep="X_resvae")``. With labels "semi" `adata.obs` has
        <key>_predicted, as `classify` writes it, and <key>_confidence (its probability).

    Raises:
        InputError: Labels are "semi", and `key` is None or holds fewer than two.
    """
    given = {
        "name": "resvae",
        "data": {"split": {"test": 0.0}},
        "task": {"type": "representation", "labels": labels},
        "families": {"resvae": {"latent": latent, "likelihood": likelihood}},
        "search": {"max_trials": 1},
    }
    automl = AutoGenome(merged(given, config), data=(_annotated(adata), key))
    automl.run(stages)
    found = automl.predict(adata).drop(columns=["sample", "part"])
    if automl.config.task.labels != "none":
        _write_labels(adata, key, found)
        found = found.drop(columns=["prediction", *found.filter(regex="^p_")])
    adata.obsm["X_resvae"] = found.to_numpy()
    return automl
