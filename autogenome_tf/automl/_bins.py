"""Bins of contigs: a table, and a FASTA file for each bin where the config asks for them."""

import collections
import logging
import shutil

import numpy as np
import pandas as pd

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.files import replacing_folder
from autogenome_tf.data import Dataset, contigs_of
from autogenome_tf.models import bin_table, bins_of, near_complete
from autogenome_tf.run import Run
from autogenome_tf.tasks import UNLABELLED

log = logging.getLogger(__name__)

FOLDER = "bins"
# Bases on a line of a FASTA file.
WIDTH = 60


def check_bins(config: Config) -> None:
    """Refuse bins of rows that are no contigs, and of models without a latent space.

    Args:
        config: A `Config`.

    Raises:
        InputError: Saying what has bins.
    """
    if not config.output.bins:
        return
    if config.task.kind.has_targets:
        raise InputError(
            f"output.bins: task.type {config.task.type} has no latent space to find bins in; "
            "expected false, or task.type representation."
        )
    if contigs_of(config.data) is None:
        raise InputError(
            f"output.bins: {config.data.features or 'the given rows'}: bins are of the contigs of "
            "a FASTA file or the reads of a FASTQ file; expected false, or one in data.features."
        )


def write_bins(run: Run, config: Config, dataset: Dataset, points: np.ndarray) -> None:
    """Find the bins of contigs; write bins.tsv, contig_bins.tsv and bins/; nothing of other rows.

    Args:
        run: The run that the files are written to.
        config: Its config.
        dataset: Its rows; targets are the genomes of contigs.
        points: (rows, units) latent means.
    """
    contigs = contigs_of(config.data)
    if contigs is None:
        return
    lengths: dict[str, int] = collections.Counter()
    for one in contigs:
        lengths[one.name] += len(one.letters)
    lacking = [name for name in dataset.samples if name not in lengths]
    if lacking:
        log.warning(
            "%s: no bins, since %d rows, such as %s, have another id than their contig. Give each "
            "contig an id of its own.", config.data.features, len(lacking), lacking[0],
            extra={"about": "bins"},
        )  # fmt: skip
        return
    bases = np.array([lengths[name] for name in dataset.samples])
    bins = bins_of(points, bases, contigs.fewest)
    table = bin_table(bins, bases, dataset.targets)
    run.write_table("bins.tsv", table)
    columns = {"sample": dataset.samples, "bases": bases, "bin": bins}
    run.write_table("contig_bins.tsv", pd.DataFrame(columns))
    share = bases[bins > 0].sum() / bases.sum()
    log.info("bins: %d with %.3g %% of all bases%s", len(table), 100 * share, _told(table, dataset))
    if config.output.bins:
        _write_fasta(run, config, contigs, dict(zip(dataset.samples, bins, strict=True)), table)


def _told(table, dataset):
    """Return how many genomes the bins have, where genomes are known."""
    if "genome" not in table:
        return ""
    count = len(set(dataset.targets) - {UNLABELLED})
    return f"; {near_complete(table)} of {count} genomes at least 90 % complete, 5 % contaminated"


def _write_fasta(run, config, contigs, bins, table):
    """Write the contigs of each bin that is large enough."""
    large = set(table.loc[table["bases"] >= config.output.bin_bases, "bin"])
    shutil.rmtree(run.path(FOLDER), ignore_errors=True)
    with replacing_folder(run.path(FOLDER)) as folder:
        for one in contigs:
            number = bins.get(one.name)
            if number in large:
                # Of a thousand bins not all files can be open at once.
                with open(folder / f"bin_{number}.fasta", "a", encoding="utf-8") as file:
                    starts = range(0, len(one.letters), WIDTH)
                    lines = (one.letters[start : start + WIDTH] for start in starts)
                    file.write("\n".join([f">{one.header}", *lines, ""]))
    log.info(
        "%s/: a FASTA file for each of %d bins of at least %d bases", FOLDER, len(large),
        config.output.bin_bases,
    )  # fmt: skip
