"""The predict stage: predictions, or latent means, of all rows of a run and of new ones."""

import logging
from typing import Any

import pandas as pd

from autogenome_tf.automl._bins import write_bins
from autogenome_tf.automl._lacking import LackingGenes
from autogenome_tf.config import Config
from autogenome_tf.data import RunData
from autogenome_tf.models import LatentModel, Predictor, tables
from autogenome_tf.run import Run
from autogenome_tf.tasks import NOVEL

log = logging.getLogger(__name__)

# Numbers in reconstruction.tsv.gz, at most.
MOST_RECONSTRUCTED = 50_000_000
# More novel rows than this share, and than this number, are no chance.
MOST_NOVEL, FEWEST_NOVEL = 0.05, 2


def predict(
    run: Run, rows: RunData, model: Predictor, lacking: LackingGenes, config: Config
) -> pd.DataFrame:
    """Predict all rows of a run; write predictions.tsv, or latent.tsv and reconstruction.tsv.gz.

    Args:
        run: The run that the files are written to.
        rows: Its rows.
        model: Its model.
        lacking: Warns of genes that rows lack.
        config: Its config.

    Returns:
        The rows of predictions.tsv or latent.tsv.
    """
    dataset, split = rows.labelled
    parts = [(dataset, split.part)]
    parts += [
        (new, part)
        for new, part in ((rows.to_evaluate, "evaluate"), (rows.to_predict, "predict"))
        if new
    ]
    each = [_table(model, *one) for one in parts]
    # A column without values, such as targets of new rows, has a type that would be joined too.
    known = [table.dropna(axis=1, how="all") for table in each]
    frame = pd.concat(known, ignore_index=True).reindex(columns=each[0].columns)
    for new, part in parts[1:]:
        lacking.warn(new)
        _warn_of_novelty(new, frame[frame["part"] == part])
    if not isinstance(model, LatentModel):
        run.write_table("predictions.tsv", frame)
        return frame
    run.write_table("latent.tsv", frame)
    write_bins(run, config, dataset, each[0][model.latent_names].to_numpy())
    cells = len(frame) * len(model.features)
    if cells > MOST_RECONSTRUCTED:
        log.info("reconstruction.tsv.gz is not written: it would have %d numbers", cells)
    else:
        decoded = (tables.reconstruction(model, *one) for one in parts)
        run.write_compressed("reconstruction.tsv.gz", pd.concat(decoded, ignore_index=True))
    return frame


def predict_new(rows: RunData, model: Predictor, new: Any, lacking: LackingGenes) -> pd.DataFrame:
    """Predict rows that the run does not have; write nothing.

    Args:
        rows: The rows of the run, which know how its files are read.
        model: Its model.
        new: A path, a DataFrame, an array, a sparse matrix or an AnnData.
        lacking: Warns of genes that rows lack.

    Returns:
        The columns of predictions.tsv or latent.tsv.

    Raises:
        InputError: Where new rows lack genes, or the model is not defined on a value.
    """
    dataset = rows.new(new, model.features)
    frame = _table(model, dataset, "new")
    lacking.warn(dataset)
    _warn_of_novelty(dataset, frame)
    return frame


def _warn_of_novelty(dataset, frame):
    """Warn where more rows than chance explains are unlike all training rows."""
    if "novelty_p" not in frame:
        return
    novel = frame.loc[frame["novelty_p"] < NOVEL, "sample"]
    if len(novel) <= max(FEWEST_NOVEL, MOST_NOVEL * len(frame)):
        return
    log.warning(
        "%s: %d of %d rows are unlike all training rows (novelty_p below %g, of 1 %% expected), "
        "such as %s. They may belong to a class that training has not seen, or be measured "
        "otherwise; do not trust their predictions.",
        dataset.source, len(novel), len(frame), NOVEL, ", ".join(map(str, novel[:3])),
        extra={"about": "novelty"},
    )  # fmt: skip


def _table(model, dataset, part):
    table = tables.latent if isinstance(model, LatentModel) else tables.predictions
    return table(model, dataset, part)
