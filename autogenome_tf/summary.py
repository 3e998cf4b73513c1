"""The short table at the end of a run, from its files alone."""

import rich.console
import rich.table

from autogenome_tf.run import Run

TOP = 5


def show(folder, config):
    """Print the best trials, the metrics with intervals, and where the files are."""
    run = Run(folder)
    console = rich.console.Console(highlight=False, soft_wrap=True)
    console.print(_trials(run.read_table("leaderboard.tsv"), config.objective))
    for part, found in run.read_json("metrics.json").items():
        console.print(_metrics(part, found))
    console.print(f"files: {folder}", markup=False)


def _trials(frame, objective):
    table = rich.table.Table(title=f"leaderboard, top {TOP} of {len(frame)}", title_justify="left")
    for name in ("rank", "family", objective, "+-", "epochs", "seconds", "parameters"):
        table.add_column(name, justify="left" if name == "family" else "right")
    top = frame[frame["rank"] <= TOP]
    reference = frame[(frame["trial"] == 0) & (frame["rank"] > TOP)]
    for row in [*top.itertuples(), *reference.itertuples()]:
        name = f"{row.family} (reference)" if row.trial == 0 else row.family
        table.add_row(
            str(row.rank), name, f"{row.score:.4f}", f"{row.error:.3f}", str(row.epochs),
            f"{row.seconds:.1f}", str(row.parameters),
        )  # fmt: skip
    return table


def _metrics(part, found):
    table = rich.table.Table(title=f"{part} metrics", title_justify="left")
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, metric in found.items():
        if metric["value"] is None:
            table.add_row(name, "undefined", "")
            continue
        interval = f"{metric['low']:.3f} to {metric['high']:.3f}"
        table.add_row(name, f"{metric['value']:.3f}", interval)
    return table
