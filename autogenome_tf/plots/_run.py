"""The figures of a run folder, drawn from its files alone."""

from autogenome_tf.core.files import safe_names
from autogenome_tf.plots._save import save
from autogenome_tf.plots._source import attributions
from autogenome_tf.plots.calibration import calibration
from autogenome_tf.plots.confusion_matrix import confusion_matrix
from autogenome_tf.plots.importance_bar import importance_bar
from autogenome_tf.plots.importance_dot import importance_dot
from autogenome_tf.plots.importance_sets import importance_sets
from autogenome_tf.plots.importance_total import importance_total
from autogenome_tf.plots.importance_violin import importance_violin
from autogenome_tf.plots.latent_space import latent_space
from autogenome_tf.plots.learning_curves import learning_curves
from autogenome_tf.plots.precision_recall_curves import precision_recall_curves
from autogenome_tf.plots.predicted_vs_true import predicted_vs_true
from autogenome_tf.plots.roc_curves import roc_curves
from autogenome_tf.plots.search_progress import search_progress
from autogenome_tf.plots.shared_search import shared_search
from autogenome_tf.plots.variance_by_order import variance_by_order

IMPORTANCE = {"bar": importance_bar, "dot": importance_dot, "violin": importance_violin}


def figures(run, stage):
    """What a stage of a `Run` has to show.

    Args:
        run: The `Run`.
        stage: Its name.

    Yields:
        A pair for each figure: the path of its file in the folder, without a suffix, and a
        function without arguments that draws it.
    """
    task = run.config().task.kind
    for name, draw, options in _OF_STAGE.get(stage, _nothing)(run, task):
        yield name, lambda draw=draw, options=options: draw(run, **options)


def draw(run, stage):
    """Draw the figures of a stage of a `Run` into its folder."""
    for name, figure in figures(run, stage):
        save(figure(), run.path(name))


def _nothing(*_):
    return ()


def _training(run, _):
    yield "plots/search_progress", search_progress, {}
    yield "plots/learning_curves", learning_curves, {}
    if run.has("search/enas/candidates.tsv"):
        yield "plots/shared_search", shared_search, {}


def _evaluation(_, task):
    if task.has_classes:
        yield "confusion_matrix", confusion_matrix, {}
    if not task.has_targets:
        yield "plots/latent_space", latent_space, {}


def _predictions(run, task):
    if task.has_classes:
        yield "plots/roc_curves", roc_curves, {}
        yield "plots/precision_recall_curves", precision_recall_curves, {}
        yield "plots/calibration", calibration, {}
    if task.has_units:
        targets = run.model_names()["targets"]
        for target, safe in zip(targets, safe_names(targets), strict=True):
            yield f"plots/predicted_vs_true_{safe}", predicted_vs_true, {"target": target}


def _explanation(run, task):
    yield "plots/importance_total", importance_total, {}
    if run.has("sets.tsv"):
        for level in run.read_table("sets.tsv")["level"].unique():
            yield f"plots/importance_{level}", importance_sets, {"level": level}
    if run.has("epistasis_orders.tsv"):
        yield "plots/variance_by_order", variance_by_order, {}
    outputs = [str(name) for name in attributions(run)["outputs"]]
    # Latent units are many, and without names that anybody would look for.
    kinds = IMPORTANCE if task.has_targets else ("bar",)
    for output, safe in zip(outputs, safe_names(outputs), strict=True):
        for kind in kinds:
            yield f"plots/importance_{kind}_{safe}", IMPORTANCE[kind], {"output": output}


_OF_STAGE = {
    "train": _training, "evaluate": _evaluation, "predict": _predictions, "explain": _explanation,
}  # fmt: skip
