"""Trials of the search and the fit of the final model."""

import json

from autogenome_tf.core.files import on_a_line
from autogenome_tf.report._metrics import NAMES
from autogenome_tf.report._page import Section, Table, listed, number, pictures
from autogenome_tf.run import Run

TOP = 10
FRONT = "search/enas/front.tsv"
CONTRIBUTIONS = "search/enas/contributions.tsv"


def section(run: Run) -> Section:
    """Return the leaderboard and the curves of search and training."""
    config = run.config()
    board = run.read_table("leaderboard.tsv")
    times = run.environment["times"]
    failed = int(board["score"].isna().sum())
    text = (
        f"A {config.search.method} search over {listed(config.families)}: {len(board)} "
        f"trial{'s' * (len(board) > 1)}{f', of which {failed} failed' if failed else ''}, ranked "
        f"by {NAMES[config.objective]}. The search took {times.get('search', 0):.0f} s, the final "
        f"fit {times.get('fit', 0):.0f} s."
    )
    is_shown = (board["rank"] <= TOP) | (board["trial"] == 0)
    rows = [
        [
            str(line.rank), f"{line.family} (baseline)" if line.trial == 0 else line.family,
            str(line.trial), number(line.score, 4), number(line.error, 4), str(line.epochs),
            number(line.seconds, 1), number(int(line.parameters)),
            on_a_line(line.status) if line.status != "done" else _values(line.hyperparameters),
        ]
        for line in board[is_shown].itertuples()
    ]  # fmt: skip
    head = [
        "rank", "family", "trial", NAMES[config.objective], "± standard error", "epochs", "seconds",
        "parameters", "hyperparameters",
    ]  # fmt: skip
    caption = (
        f"The {TOP} best of {len(board)} trials; all are in leaderboard.tsv."
        if len(board) > TOP
        else "All trials, the best first."
    )
    table = Table(head, rows, caption, left=(1, 8))
    parts = [text, table, *_front(run), *_contributions(run), *pictures(run, "search")]
    return Section("search", "Search", parts)


def _front(run):
    """Return the table of sizes against scores of a search with shared weights, if there is one."""
    if not run.has(FRONT):
        return []
    lines = run.read_table(FRONT)
    metric = f"{NAMES[run.config().objective]} with shared weights"
    rows = [
        [f"{int(line.parameters):,}", number(line.shared_score, 4), str(line.arc)]
        for line in lines.itertuples()
    ]
    caption = (
        "Size against score: candidates that no smaller one scores better than. Scores are those "
        "of shared weights; networks that are trained from scratch score otherwise."
    )
    return [Table(["parameters", metric, "arc"], rows, caption, left=(2,))]


def _contributions(run):
    """Return the table of what decisions of a search with shared weights contribute, if any."""
    if not run.has(CONTRIBUTIONS):
        return []
    lines = run.read_table(CONTRIBUTIONS)
    if lines["share"].isna().all():
        return []
    *decisions, interactions = lines.itertuples()
    shown = [*decisions[:TOP], interactions]
    rows = [[line.decision, f"{100 * line.share:.1f} %"] for line in shown]
    caption = (
        "What decisions contribute to the score with shared weights: share of its variance over "
        f"the space (functional ANOVA). {_trusted(lines['forest_r2'].iloc[0])}"
    )
    return [Table(["decision", "share of variance"], rows, caption)]


def _trusted(known):
    """Return the sentence on how far the forest behind the shares can be trusted."""
    if known <= 0:
        return "The forest behind it does not predict scores it has not seen: this is noise."
    return f"The forest behind it explains {100 * known:.0f} % of scores it has not seen."


def _values(text):
    """Return hyperparameters as one line of text."""
    return ", ".join(f"{name} {_value(value)}" for name, value in json.loads(text).items())


def _value(value):
    if isinstance(value, dict):
        return f"({', '.join(f'{on_a_line(key)} {_value(own)}' for key, own in value.items())})"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
