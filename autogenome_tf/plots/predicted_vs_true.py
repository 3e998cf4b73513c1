"""How far regression predictions lie from the truth."""

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.plots import _paper
from autogenome_tf.plots._source import of_run

PARTS = ("train", "validation", "test")  # drawn in this order: what was not learned from on top
MOST_DRAWN = 2000  # points; more are embedded as a picture, or the PDF takes minutes to open
MARGIN = 0.04


def _of(run, *, target=None):
    run.require("predict", "predictions.tsv")
    frame, names = run.read_table("predictions.tsv"), run.model_names().get("targets", [])
    if not names:
        raise InputError(f"{run.folder}: expected a run of task.type regression.")
    target = names[0] if target is None and len(names) == 1 else target
    if target not in names:
        raise unknown(f"{run.folder}: target", target, names)
    end = "" if len(names) == 1 else f"_{target}"
    columns = {f"target{end}": "target", f"prediction{end}": "prediction"}
    predictions = frame[["sample", "part", *columns]].rename(columns=columns)
    predictions["prediction"] = predictions["prediction"].astype(float)
    return {"predictions": predictions, "target": target}


@of_run(_of)
def predicted_vs_true(predictions, *, target=""):
    """Draw predictions against targets, one mark a sample, by part.

    Args:
        predictions: DataFrame with `part`, `target` and `prediction`, such as predictions.tsv;
            rows without a target are left out. Or a run.
        target: Its name; needed of a run that has several.

    Returns:
        A `matplotlib.figure.Figure`; on the diagonal a prediction is right.
    """
    known = predictions.dropna(subset=["target", "prediction"])
    figure, ((panel,),) = _paper.blank(6.2, 4.2)
    _draw_diagonal(panel, known[["target", "prediction"]].to_numpy(float))
    looks = _paper.marks([*PARTS, *known["part"].unique()])
    for part, look in looks.items():
        rows = known[known["part"] == part]
        if len(rows):
            _draw_part(panel, rows, f"{part} (n = {len(rows)})", look)
    name = f" {_paper.label(target)}" if target else ""
    panel.set_xlabel(f"true{name}")
    panel.set_ylabel(f"predicted{name}")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _draw_part(panel, rows, label, look):
    style = {"s": 18, "alpha": 0.6, "linewidths": 0, "rasterized": len(rows) > MOST_DRAWN}
    panel.scatter(rows["target"], rows["prediction"], label=label, **style, **look)


def _draw_diagonal(panel, values):
    """Draw where both are equal, and give both axes the same limits."""
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    margin = MARGIN * (high - low) or 1.0
    limits = (low - margin, high + margin)
    panel.axline((low, low), slope=1, color=_paper.GREY, linestyle="--", linewidth=1, zorder=1)
    panel.set(xlim=limits, ylim=limits, aspect="equal")
