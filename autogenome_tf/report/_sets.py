"""Gene sets that the predictions rest on, and genes that a network's gates let in."""

from autogenome_tf import families
from autogenome_tf.core.files import on_a_line
from autogenome_tf.report._page import Heading, Part, Section, Table, number, pictures
from autogenome_tf.run import Run

# From here on a share lies clearly above that of both controls, in their standard deviations.
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
        "Each set has units of its own, which see its genes alone. Their contributions to the "
        f"outputs are means of {config.explanation.sets} networks. A set of many genes, or of genes"
        " that are in many sets, looks important in any such network. So it is compared with sets "
        "of the same sizes and overlaps but other genes, and with networks trained on shuffled "
        f"targets. Only a share clearly above both (say {CLEAR:g} of their standard deviations) is "
        "a sign of biology."
    )
    ranked = run.read_table("leaderboard.tsv")
    wired = ranked[[families.has_levels(family) for family in ranked["family"]]].iloc[0]
    best = ranked[ranked["family"].isin(config.families)].iloc[0]
    if best["trial"] != wired["trial"]:
        text += (
            f" They are networks of trial {wired['trial']}, {wired['family']}; the model rests on "
            f"other ones, trial {best['trial']}, {best['family']}, ranks before it."
        )
    parts: list[Part] = [text]
    for level in map(str, frame["level"].unique()):
        title = TITLES.get(level, level)
        own = frame[frame["level"] == level]
        if len(own):
            clear = int((own["above"] >= CLEAR).sum())
            counted = f"{clear} of {len(own)} lie {CLEAR:g} or more sd above both controls."
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
    head = ["set", "genes", "share", "other genes", "shuffled targets", "above both", "ranks"]
    return Table(head, rows, "Shares of importance; ranks are those of single networks.")


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
        f"Every gene passes a gate of its own before the first layer; a penalty closes gates that "
        f"do not help, {closed} of {len(frame)} here in every network. Among genes that are "
        "expressed together a network needs one, and which one stays open is arbitrary: a closed "
        "gate does not mean that a gene is without information."
    )
    head = ["gene", "gate", "over networks", "open in", "rank by contribution"]
    return [Heading("Gates"), text, Table(head, rows, "The widest gates; each starts at 1.")]
