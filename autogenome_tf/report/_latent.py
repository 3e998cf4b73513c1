"""Scores of a latent space, beside principal components and those after ComBat."""

from autogenome_tf.report._metrics import COMBAT, MEANINGS, NAMES, PCA, measured
from autogenome_tf.report._page import Heading, Part, Section, Table, number, pictures
from autogenome_tf.run import Run

# Bins that the page shows, the largest.
SHOWN = 30


def section(run: Run) -> Section | None:
    """Return the metrics of each part beside those of components, and maps."""
    if not run.has("metrics.json") or run.config().task.kind.has_targets:
        return None
    scores = run.metrics()
    parts: list[Part] = [
        "Principal components have as many dimensions as the latent space and the same training "
        "samples. Intervals are 95\u00a0% bootstrap intervals over samples. "
        f"{_distance(run)} {_labels(run)} Figures of scIB have no interval; those "
        "of Leiden clusters need the package igraph."
        if scores
        else "No sample was held out, so there is no score: see data.split and data.evaluate."
    ]
    for part, own in scores.items():
        others = {PCA: "principal components", COMBAT: "components after ComBat"}
        others = {key: name for key, name in others.items() if any(n.startswith(key) for n in own)}
        rows = []
        for name in (name for name in own if not name.startswith((PCA, COMBAT))):
            beside = [own.get(key + name) for key in others]
            compared = [measured(name, one) if one else "–" for one in beside]
            rows.append([NAMES[name], measured(name, own[name]), *compared, MEANINGS[name]])
        head = ["metric", "Res-VAE", *others.values(), "meaning"]
        parts.append(Table(head, rows, f"Samples of the {part} part.", left=(0, len(head) - 1)))
    parts += pictures(run, "latent")
    if run.has("bins.tsv"):
        parts += _bins(run)
    return Section("latent", "Latent space", parts)


def _bins(run):
    """Return a heading, what bins are, and a table of the largest."""
    table = run.read_table("bins.tsv")
    told = (
        f"{len(table):,} clusters of contigs by HDBSCAN in the latent space; contig_bins.tsv has "
        "the bin of each contig."
    )
    columns = {"bin": str, "contigs": "{:,}".format, "bases": "{:,}".format}
    if "genome" in table:
        told += (
            " A bin is compared with the genome that it has most bases of: completeness is the "
            "share of that genome's bases that it has, contamination the share of its own bases "
            "that are of other genomes."
        )
        columns |= {"genome": str, "completeness": number, "contamination": number}
    values = table[[*columns]].head(SHOWN).itertuples(index=False)
    rows = [[show(one) for show, one in zip(columns.values(), own, strict=True)] for own in values]
    return [Heading("Bins"), told, Table([*columns], rows, "The largest bins.", left=(3,))]


def _distance(run):
    """Return in a sentence what distances between samples mean."""
    if run.model_names().get("distance") == "prior":
        return (
            "Distances between samples are in standard deviations of the prior "
            "(families.resvae.distance prior)."
        )
    return "Distances between samples are those of decoded values."


def _labels(run):
    """Return in a sentence what labels were used for."""
    if run.config().task.labels == "none":
        return "Labels, where there are any, were used for these scores only."
    return (
        "Labels shaped the latent space (task.labels semi): a classifier on it learned those of "
        "training samples, and those of validation samples chose the epoch. Scores by labels are "
        "of other samples (test, data.evaluate), whose labels were not used. Principal components "
        "saw no label at all."
    )
