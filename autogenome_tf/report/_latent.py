"""Scores of a latent space, beside principal components."""

from autogenome_tf.report._metrics import MEANINGS, NAMES, PCA, measured
from autogenome_tf.report._page import Part, Section, Table, pictures
from autogenome_tf.run import Run


def section(run: Run) -> Section | None:
    """Return the metrics of each part beside those of components, and maps."""
    if not run.has("metrics.json") or run.config().task.kind.has_targets:
        return None
    scores = run.read_json("metrics.json")
    parts: list[Part] = [
        "Principal components have as many dimensions as the latent space and the same training "
        "samples. Intervals are 95\u00a0% bootstrap intervals over samples. Labels, where there "
        "are any, were used for these scores only."
        if scores
        else "No sample was held out, so there is no score: see data.split and data.evaluate."
    ]
    for part, own in scores.items():
        names = [name for name in own if not name.startswith(PCA)]
        rows = []
        for name in names:
            beside = own.get(PCA + name)
            compared = measured(name, beside) if beside else "–"
            rows.append([NAMES[name], measured(name, own[name]), compared, MEANINGS[name]])
        head = ["metric", "Res-VAE", "principal components", "meaning"]
        parts.append(Table(head, rows, f"Samples of the {part} part.", left=(0, 3)))
    parts += pictures(run, "latent")
    return Section("latent", "Latent space", parts)
