"""Importance of gene sets beside their controls, and the gates of genes."""

from autogenome_tf import families
from autogenome_tf.core.files import on_a_line
from autogenome_tf.report._page import Heading, Part, Section, Table, number, pictures
from autogenome_tf.run import Run

# Standard deviations of both controls above which a share is clear.
CLEAR = 2.0
TITLES = {"sets": "Gene sets", "groups": "Groups of sets"}


def section(run: Run) -> Section | None:
    """Return sets beside their controls, level by level; then the gates."""
    parts = [*_sets(run), *_gates(run)]
    return Section("sets", "Gene sets and gates", parts) if parts else None


def _sets(run):
    if not run.has("sets.tsv"):
        return []
    frame, config = run.read_table("sets.tsv"), run.config()
    top = config.explanation.top
    text = (
        "Each gene set has units of its own, which are connected to its genes only. Contributions "
        f"are means over {config.explanation.sets} networks. A set of many genes, or of genes that "
        "are in many sets, looks important in any such network. Each set is therefore compared "
        "with two controls: sets of the same sizes and overlaps but other genes, and networks "
        f"trained on shuffled targets. Only a share clearly above both (at least {CLEAR:g} of "
        "their standard deviations) is evidence of biology."
    )
    ranked = run.read_table("leaderboard.tsv")
    wired = ranked[[families.has_levels(family) for family in ranked["family"]]].iloc[0]
    best = ranked[ranked["family"].isin(config.families)].iloc[0]
    if best["trial"] != wired["trial"]:
        text += (
            f" These are networks of trial {wired['trial']} (family {wired['family']}); the final "
            f"model is another, since trial {best['trial']} (family {best['family']}) ranks first."
        )
    parts: list[Part] = [text]
    for level in map(str, frame["level"].unique()):
        title = TITLES.get(level, level)
        own = frame[frame["level"] == level]
        if len(own):
            clear = int((own["above"] >= CLEAR).sum())
            counted = f"{clear} of {len(own)} are {CLEAR:g} or more sd above both controls."
            shown = pictures(run, "level", level, level=level)
            parts += [Heading(title), counted, *shown, _table(own, top)]
    return parts


def _table(frame, top):
    rows = [
        [
            on_a_line(line.set), str(line.genes), number(line.share), number(line.other_genes),
            number(line.other_labels), f"{line.above:.1f}", f"{line.rank_low} to {line.rank_high}",
        ]
        for line in frame.head(top).itertuples()
    ]  # fmt: skip
    head = ["set", "genes", "share", "other genes", "shuffled targets", "sd above both", "ranks"]
    return Table(
        head, rows, "Shares of importance, mean over networks; ranks are those in single networks."
    )


def _gates(run):
    if not run.has("gates.tsv"):
        return []
    frame = run.read_table("gates.tsv")
    shown = frame.head(run.config().explanation.top)
    ranks = {}
    if run.has("attributions.tsv"):
        table = run.read_table("attributions.tsv")
        ranks = dict(zip(table["feature"], table["rank"], strict=True))
    rows = [
        [
            on_a_line(line.feature), number(line.gate),
            f"{number(line.low)} to {number(line.high)}",
            f"{100 * line.open:.0f} %", str(ranks.get(line.feature, "–")),
        ]
        for line in shown.itertuples()
    ]  # fmt: skip
    closed = int((frame["open"] == 0).sum())
    text = (
        f"Every gene passes a gate of its own before the first layer, and a penalty closes the "
        f"gates that do not help: here {closed} of {len(frame)} are closed in every network. Among "
        "co-expressed genes a network needs only one, and which one keeps an open gate is "
        "arbitrary: a closed gate does not mean that a gene carries no information."
    )
    head = ["gene", "gate", "range over networks", "open in", "rank by contribution"]
    return [Heading("Gates"), text, Table(head, rows, "The most open gates; each starts at 1.")]
