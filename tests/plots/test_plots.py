"""What the figures promise: they show what the frames hold, in full, and touch nothing else."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
from matplotlib.figure import Figure

from autogenome_tf import plots

LONG = "bladder urothelial carcinoma, muscle-invasive"


def counts_of(classes):
    """A confusion matrix with one very long class name and one class without samples."""
    names = [LONG, *(f"class_{number:02d}" for number in range(1, classes))]
    counts = np.arange(classes**2).reshape(classes, classes)
    counts[1] = 0
    return pd.DataFrame(counts, names, names)


def history(epochs=5):
    """A fit whose validation loss is lowest in its third epoch."""
    epoch = np.arange(1, epochs + 1)
    columns = {"epoch": epoch, "loss": 1 / epoch, "validation_loss": abs(epoch - 3) + 0.1}
    return pd.DataFrame(columns | {"learning_rate": 0.01, "seconds": 2.0})


def leaderboard():
    """Four trials out of order, one of them failed, and the baseline."""
    rows = [
        ("resnet", 3, 0.9, 0.01),
        ("mlp", 2, 0.6, 0.02),
        ("mlp", 1, 0.7, 0.03),
        ("linear", None, 0.5, 0.02),
        ("resnet", 4, None, None),
    ]
    return pd.DataFrame(rows, columns=["family", "trial", "score", "error"])


def predictions():
    """Six rows, one of them without a target."""
    parts = ["train", "train", "train", "test", "test", "test"]
    target = [1.0, 2.0, 3.0, 4.0, 5.0, np.nan]
    columns = {"sample": list("abcdef"), "part": parts, "target": target}
    return pd.DataFrame(columns | {"prediction": [1.5, 2.5, 2.0, 4.0, 7.0, 1.0]})


def shared_search():
    """Epochs of a search with shared weights, and its candidates."""
    curves = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "reward": [0.1, 0.2, 0.4]})
    curves = curves.assign(baseline=0.1, entropy=[9.0, 8.0, 7.5], skip_rate=[0.5, 0.4, 0.45])
    candidates = {
        "by": ["lstm", "uniform", "lstm", "lstm"],
        "shared_score": [3.0, 2.0, 1.0, np.nan],
    }
    return curves, pd.DataFrame(candidates)


def sizes():
    """Candidates of a search with shared weights, and those that no smaller one beats."""
    columns = {"by": ["lstm", "uniform", "lstm"], "parameters": [100, 2000, 30_000]}
    candidates = pd.DataFrame(columns | {"shared_score": [0.9, 1.1, 0.4]})
    return candidates, candidates.iloc[[0, 2]]


def contributions():
    """Contributions of three genes in nine rows, one of them always the same, and their values."""
    values = np.random.default_rng(0).normal(size=(9, 3)) * [1.0, 3.0, 0.0]
    return values, np.where(values > 1, np.nan, values)


def importance(outputs):
    """A table of attributions of four genes."""
    means = pd.DataFrame({f"{LONG} {k}": [4.0, 3.0, 2.0, k] for k in range(outputs)})
    means.insert(0, "feature", [LONG, "b", "c", "d"])
    means.insert(1, "rank", [2, 1, 3, 4])
    means.insert(2, "total", 1.0)
    return means


def maps(rows=66):
    """Two maps of the same samples, all at places of their own."""
    place = np.arange(2.0 * rows).reshape(rows, 2)
    return {"Res-VAE": place, "PCA": -place}


def long_names(count=33):
    """A long name a class, each twice, in an order that is not the natural one."""
    return np.array([f"{LONG} {number}" for number in reversed(range(count))] * 2, object)


def chances(classes, rows=200):
    """True classes and probabilities that often tell them; the first name is very long."""
    random = np.random.default_rng(0)
    names = [LONG, *(f"class_{number:02d}" for number in range(1, classes))]
    truth = np.array(names, object)[np.arange(rows) % classes]
    logits = random.normal(size=(rows, classes))
    logits[np.arange(rows), np.arange(rows) % classes] += 2
    frame = pd.DataFrame(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), columns=names)
    return truth, frame


FIGURES = {
    "roc_2": lambda: plots.roc_curves(*chances(2)),
    "roc_33": lambda: plots.roc_curves(*chances(33)),
    "recall_2": lambda: plots.precision_recall_curves(*chances(2)),
    "recall_33": lambda: plots.precision_recall_curves(*chances(33)),
    "calibration_2": lambda: plots.calibration(*chances(2)),
    "calibration_33": lambda: plots.calibration(*chances(33)),
    "confusion_2": lambda: plots.confusion_matrix(counts_of(2)),
    "confusion_9": lambda: plots.confusion_matrix(counts_of(9)),
    "confusion_33": lambda: plots.confusion_matrix(counts_of(33)),
    "curves": lambda: plots.learning_curves(history()),
    "progress": lambda: plots.search_progress(leaderboard()),
    "progress_33": lambda: plots.search_progress(
        pd.DataFrame([(f"a_long_family_name_{i}", i, 0.5) for i in range(33)]).set_axis(
            ["family", "trial", "score"], axis=1
        )
    ),
    "predicted": lambda: plots.predicted_vs_true(predictions()),
    "shared": lambda: plots.shared_search(*shared_search()),
    "size": lambda: plots.size_front(*sizes(), objective="log_loss"),
    "bar": lambda: plots.importance_bar(pd.Series([1.0, 2.0], [LONG, "b"]), output=LONG),
    "dot": lambda: plots.importance_dot(*contributions(), [LONG, "b", "c"], output=LONG),
    "violin": lambda: plots.importance_violin(contributions()[0], [LONG, "b", "c"]),
    "total_3": lambda: plots.importance_total(importance(3)),
    "total_33": lambda: plots.importance_total(importance(33)),
    "latent": lambda: plots.latent_space(maps()),
    "latent_33": lambda: plots.latent_space(
        maps(), labels=long_names(), clusters=np.arange(66) % 4 - 1
    ),
}


def is_cut_off(figure):
    """Whether anything drawn reaches over the edge of the figure, by more than a pixel."""
    figure.draw_without_rendering()
    drawn, paper = figure.get_tightbbox(), figure.bbox_inches.padded(1 / figure.dpi)
    return bool((drawn.min < paper.min).any() or (drawn.max > paper.max).any())


def texts(labels):
    """What tick labels or a legend's labels say."""
    return [label.get_text() for label in labels]


def legend(figure):
    """What the legend says."""
    return texts(figure.legends[0].get_texts())


def points(panel):
    """The (x, y) of each scatter of a panel, by its label."""
    return {dots.get_label(): dots.get_offsets().tolist() for dots in panel.collections}


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off(name):
    assert not is_cut_off(FIGURES[name]())


def test_a_cut_off_text_is_noticed():
    figure = Figure()
    figure.text(0.9, 0.5, "far too long for the place that is left")
    assert is_cut_off(figure)


@pytest.mark.parametrize("classes", [2, 9, 33])
def test_a_confusion_matrix_names_its_classes_in_full(classes):
    counts = counts_of(classes)
    panel = plots.confusion_matrix(counts).axes[0]
    assert texts(panel.get_xticklabels()) == list(counts.columns)
    assert texts(panel.get_yticklabels()) == list(counts.index)


@pytest.mark.parametrize(("classes", "numbered"), [(2, True), (20, True), (21, False)])
def test_cells_hold_the_counts_while_they_can_be_read(classes, numbered):
    counts = counts_of(classes)
    panel = plots.confusion_matrix(counts).axes[0]
    shown = {text.get_position(): text.get_text() for text in panel.texts}
    expected = {(j, i): str(n) for (i, j), n in np.ndenumerate(counts.to_numpy())}
    assert shown == (expected if numbered else {})


def test_a_cells_colour_is_the_share_of_its_true_class():
    counts = pd.DataFrame([[3, 1], [0, 0]], list("ab"), list("ab"))
    image = plots.confusion_matrix(counts).axes[0].images[0]
    assert image.get_array().tolist() == [[0.75, 0.25], [0, 0]]
    assert image.get_clim() == (0, 1)


def test_curves_show_every_measure_and_its_validation_twin():
    figure = plots.learning_curves(history().assign(accuracy=0.5, validation_accuracy=0.4))
    panels = {panel.get_ylabel(): panel for panel in figure.axes}
    assert list(panels) == ["loss", "accuracy", "learning rate"]
    training, validation, best = panels["loss"].lines
    assert training.get_ydata().tolist() == history()["loss"].tolist()
    assert validation.get_ydata().tolist() == history()["validation_loss"].tolist()
    assert list(best.get_xdata()) == [3, 3]
    assert panels["learning rate"].get_yscale() == "log"
    assert legend(figure) == ["training", "validation", "best epoch"]


def test_a_start_that_is_best_is_marked():
    start = pd.DataFrame({"epoch": [0], "validation_loss": [0.01]})
    panel = plots.learning_curves(pd.concat([start, history()], ignore_index=True)).axes[0]
    training, validation, best = panel.lines
    assert list(training.get_xdata()) == list(history()["epoch"])
    assert list(validation.get_xdata()) == [0, *history()["epoch"]]
    assert list(best.get_xdata()) == [0, 0]


@pytest.mark.parametrize("change", ["drop", "empty", "none"])
def test_curves_without_validation_show_training_alone(change):
    frame = history().drop(columns="validation_loss")
    if change != "drop":
        frame["validation_loss"] = np.nan if change == "empty" else None
    figure = plots.learning_curves(frame)
    assert legend(figure) == ["training"]
    assert len(figure.axes[0].lines) == 1


def test_a_single_epoch_is_a_visible_point():
    (line, *_) = plots.learning_curves(history(epochs=1)).axes[0].lines
    assert line.get_marker() == "o"


def test_four_measures_stand_in_a_square():
    figure = plots.learning_curves(history().assign(accuracy=0.5, mcc=0.5))
    assert len(figure.axes) == 4
    assert figure.axes[0].get_gridspec().get_geometry() == (2, 2)


def test_progress_shows_each_trial_once_in_its_familys_colour():
    figure = plots.search_progress(leaderboard(), objective="balanced_accuracy")
    panel = figure.axes[0]
    shown = points(panel)
    assert shown["mlp"] == [[1, 0.7], [2, 0.6]]
    assert shown["resnet"] == [[3, 0.9]]
    assert [x for x, _ in shown["failed"]] == [4]
    assert panel.get_ylabel() == "balanced accuracy"
    assert legend(figure) == ["best so far", "mlp", "resnet", "linear (baseline)", "failed"]


@pytest.mark.parametrize(
    ("higher", "best"), [(True, [0.7, 0.7, 0.9, 0.9]), (False, [0.7, 0.6, 0.6, 0.6])]
)
def test_the_best_so_far_follows_the_order_of_trials(higher, best):
    panel = plots.search_progress(leaderboard(), higher_is_better=higher).axes[0]
    line = next(line for line in panel.lines if line.get_label() == "best so far")
    assert line.get_xdata().tolist() == [1, 2, 3, 4]
    assert line.get_ydata().tolist() == best


def test_progress_of_a_search_that_failed_throughout_is_drawn():
    panel = plots.search_progress(leaderboard().iloc[[4]]).axes[0]
    assert list(points(panel)) == ["failed"]


def test_predictions_show_each_row_with_a_target_by_part():
    figure = plots.predicted_vs_true(predictions())
    panel = figure.axes[0]
    assert legend(figure) == ["train (n = 3)", "test (n = 2)"]
    assert points(panel)["test (n = 2)"] == [[4.0, 4.0], [5.0, 7.0]]
    assert panel.get_xlim() == panel.get_ylim()
    assert panel.get_xlim()[0] < 1.0 and panel.get_xlim()[1] > 7.0


def test_a_constant_prediction_still_has_axes():
    frame = predictions().iloc[:1].assign(prediction=1.0)
    assert np.ptp(plots.predicted_vs_true(frame).axes[0].get_xlim()) == 2


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_written_as_picture_and_drawing(tmp_path, name):
    png, pdf = plots.save(FIGURES[name](), tmp_path / "plots" / "v1.5")
    assert png.read_bytes().startswith(b"\x89PNG") and pdf.read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in png.parent.iterdir()) == ["v1.5.pdf", "v1.5.png"]


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    one = plots.save(FIGURES["curves"](), tmp_path / "one")
    two = plots.save(FIGURES["curves"](), tmp_path / "two")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")

    class Broken(Figure):
        def savefig(self, path, **options):
            path.write_bytes(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        plots.save(Broken(), tmp_path / "a")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_no_window_and_no_keras_is_touched(tmp_path):
    program = f"""
import sys
import pandas as pd
from autogenome_tf import plots
plots.save(plots.confusion_matrix(pd.DataFrame([[1]], ["a"], ["a"])), {str(tmp_path / "a")!r})
plots.save(plots.latent_space({{"PCA": [[0, 1]]}}, labels=["a"]), {str(tmp_path / "b")!r})
print(sorted({{"matplotlib.pyplot", "tensorflow", "keras"}} & set(sys.modules)))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout.strip() == "[]", told.stderr


def test_every_trial_of_an_ensemble_has_curves_of_its_own():
    frame = pd.concat([history().assign(trial=3), history(epochs=7).assign(trial=5)])
    panel, rates = plots.learning_curves(frame).axes
    assert [len(line.get_xdata()) for line in panel.lines] == [5, 7, 5, 7]
    assert [len(line.get_xdata()) for line in rates.lines] == [5, 7]


def test_candidates_are_drawn_as_shares_of_each_sampler():
    curves, candidates = shared_search()
    figure = plots.shared_search(curves, candidates, objective="log_loss")
    last = figure.axes[-1]
    assert last.get_xlabel() == "log loss with shared weights"
    lines = {line.get_label(): line for line in last.get_lines()}
    assert lines["lstm"].get_xdata().tolist() == [1.0, 3.0]
    assert lines["lstm"].get_ydata().tolist() == [0.5, 1.0]
    assert lines["uniform"].get_xdata().tolist() == [2.0]


def test_the_front_is_a_line_through_candidates_by_size():
    panel = plots.size_front(*sizes(), objective="log_loss").axes[0]
    assert panel.get_xscale() == "log" and panel.get_ylabel() == "log loss with shared weights"
    (front,) = panel.get_lines()
    assert front.get_xdata().tolist() == [100, 30_000]
    assert {name.get_text() for name in panel.get_legend().get_texts()} == {
        "front", "lstm", "uniform"
    }  # fmt: skip


def test_what_a_uniform_controller_does_not_measure_is_not_drawn():
    curves, candidates = shared_search()
    figure = plots.shared_search(curves[["epoch", "loss", "reward"]], candidates)
    assert len(figure.axes) == 3


def test_genes_stand_in_order_of_their_importance():
    means = pd.Series([1.0, 3.0, 2.0], ["a", "b", "c"])
    bars = plots.importance_bar(means, output="y", top=2).axes[0]
    assert texts(bars.get_yticklabels()) == ["c", "b"]  # from bottom to top
    assert [bar.get_width() for bar in bars.patches] == [2.0, 3.0]
    values, data = contributions()
    for figure in (
        plots.importance_dot(values, data, ["a", "b", "c"], top=2),
        plots.importance_violin(values, ["a", "b", "c"], top=2),
    ):
        assert texts(figure.axes[0].get_yticklabels()) == ["a", "b"]


def test_a_dot_stands_at_each_contribution_and_shows_the_value_of_the_gene():
    values, data = contributions()
    panel = plots.importance_dot(values, data, ["a", "b", "c"]).axes[0]
    for line, gene in enumerate([2, 0, 1]):
        dots = panel.collections[line]
        assert dots.get_offsets()[:, 0].tolist() == pytest.approx(values[:, gene].tolist())
        assert abs(dots.get_offsets()[:, 1] - line).max() <= 0.5
    colors = panel.collections[2].get_array()
    known = ~np.isnan(data[:, 1])
    assert (np.argsort(colors[known]) == np.argsort(data[known, 1])).all()


def test_outputs_beyond_the_palette_are_stacked_as_one():
    panel = plots.importance_total(importance(33)).axes[0]
    labels = [bars.get_label() for bars in panel.containers]
    assert len(labels) == 7 and labels[-1] == "27 others"
    widths = np.sum([[bar.get_width() for bar in bars] for bars in panel.containers], axis=0)
    shown = importance(33).sort_values("rank")[::-1].drop(columns=["feature", "rank", "total"])
    assert widths == pytest.approx(shown.sum(axis=1).to_numpy())


@pytest.mark.parametrize("titles", [["PCA"], ["Res-VAE", "PCA"]])
@pytest.mark.parametrize("given", [[], ["labels"], ["clusters"], ["labels", "clusters"]])
def test_every_map_has_a_panel_for_each_grouping(titles, given):
    shown = {title: maps(4)[title] for title in titles}
    figure = plots.latent_space(shown, **dict.fromkeys(given, list("abab")))
    assert figure.axes[0].get_gridspec().get_geometry() == (max(1, len(given)), len(titles))
    assert [panel.get_xlabel() for panel in figure.axes] == [
        f"{title} 1" for _ in given or [None] for title in titles
    ]
    legends = [panel.get_legend() for panel in figure.axes]
    assert [drawn.get_title().get_text() for drawn in legends if drawn] == [
        name.removesuffix("s") for name in given
    ]


def test_a_map_shows_each_sample_once_in_the_colour_of_its_group():
    figure = plots.latent_space(maps(3), labels=["b", "a", "b"])
    assert points(figure.axes[0]) == {"a": [[2, 3]], "b": [[0, 1], [4, 5]]}
    assert points(figure.axes[1]) == {"a": [[-2, -3]], "b": [[0, -1], [-4, -5]]}
    looks = [
        {dots.get_label(): dots.get_facecolor().tolist() for dots in panel.collections}
        for panel in figure.axes
    ]
    assert looks[0] == looks[1] and looks[0]["a"] != looks[0]["b"]


def test_a_map_without_groups_has_one_colour():
    (dots,) = plots.latent_space(maps()).axes[1].collections
    assert dots.get_offsets().tolist() == maps()["PCA"].tolist()


def test_33_labels_are_told_apart_and_named_in_full():
    panel = plots.latent_space({"PCA": maps()["PCA"]}, labels=long_names()).axes[0]
    drawn = panel.get_legend()
    assert texts(drawn.get_texts()) == [f"{LONG} {number}" for number in range(33)]
    assert len({(h.get_color(), h.get_marker()) for h in drawn.legend_handles}) == 33
    looks = {
        (tuple(dots.get_facecolor()[0]), dots.get_paths()[0].vertices.tobytes())
        for dots in panel.collections
    }
    assert len(looks) == 33


@pytest.mark.parametrize("minus_one", [-1, -1.0, "-1"])
def test_noise_is_grey_and_lies_below_the_clusters(minus_one):
    clusters = np.array([10, minus_one, 9, minus_one])
    panel = plots.latent_space({"PCA": maps(4)["PCA"]}, clusters=clusters).axes[0]
    assert texts(panel.get_legend().get_texts())[-1] == "noise"
    noise = panel.collections[0]
    assert noise.get_label() == "noise" and len(noise.get_offsets()) == 2
    red, green, blue, _ = noise.get_facecolor()[0]
    assert red == green == blue
    assert all(np.ptp(dots.get_facecolor()[0, :3]) > 0 for dots in panel.collections[1:])


def test_a_small_group_lies_above_a_larger_one():
    panel = plots.latent_space({"PCA": maps(3)["PCA"]}, labels=list("abb")).axes[0]
    assert [dots.get_label() for dots in panel.collections] == ["b", "a"]


def test_a_legend_counts_as_people_do():
    names = ["b10", "b9", "10", "9", "-2", "2.5", "a"]
    panel = plots.latent_space({"PCA": maps(7)["PCA"]}, labels=names).axes[0]
    expected = ["-2", "2.5", "9", "10", "a", "b9", "b10"]
    assert texts(panel.get_legend().get_texts()) == expected


def test_paper_grows_with_the_legend_and_panels_keep_their_size():
    figures = [
        plots.latent_space(maps(), labels=labels)
        for labels in (None, ["a", "b"] * 33, long_names())
    ]
    for figure in figures:
        figure.draw_without_rendering()
    none, short, long = (figure.get_figwidth() for figure in figures)
    assert none < short < long
    sizes = [panel.bbox.size for figure in figures for panel in figure.axes]
    assert np.array(sizes) == pytest.approx(np.tile(sizes[0], (len(sizes), 1)), rel=0.05)


def test_marks_shrink_with_the_number_of_samples_and_are_a_picture_in_a_drawing():
    many, few = (
        plots.latent_space({"PCA": np.zeros((rows, 2))}).axes[0].collections[0]
        for rows in (100_000, 10)
    )
    assert many.get_sizes()[0] < few.get_sizes()[0] / 10
    assert many.get_rasterized() and few.get_rasterized()


def test_curves_tell_the_area_of_each_class_and_the_hardest_have_colours():
    truth, frame = chances(33)
    said = legend(plots.roc_curves(truth, frame))
    areas = {n: sklearn.metrics.roc_auc_score(truth == n, frame[n]) for n in frame}
    worst = sorted(areas, key=areas.get)
    assert said[:-1] == [f"{name} ({areas[name]:.3f})" for name in worst[:6]]
    assert said[-1] == f"27 others ({areas[worst[6]]:.3f} or more)"
    truth, frame = chances(2)
    areas = [sklearn.metrics.average_precision_score(truth == n, frame[n]) for n in frame]
    said = legend(plots.precision_recall_curves(truth, frame))
    assert sorted(said) == sorted(f"{n} ({a:.3f})" for n, a in zip(frame, areas, strict=True))
    assert len(legend(plots.roc_curves(truth, frame))) == 1


def test_a_class_without_rows_has_no_curve():
    truth, frame = chances(3)
    figure = plots.roc_curves(np.where(truth == LONG, "class_01", truth), frame)
    assert len(legend(figure)) == 2


def test_calibration_bins_hold_every_row_once_and_their_intervals_are_wilsons():
    from autogenome_tf.plots.calibration import calibration_error, reliability

    confidence = np.repeat([0.55, 0.95], 50)
    is_right = np.r_[np.arange(50) % 2 == 0, np.arange(50) < 47]
    bins = reliability(confidence, is_right)
    assert bins["rows"].sum() == 100 and len(bins["rows"]) == 10
    assert np.average(bins["accuracy"], weights=bins["rows"]) == pytest.approx(is_right.mean())
    k, n, z = is_right[:10].sum(), 10, 1.959964
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    assert (bins["low"][0], bins["high"][0]) == pytest.approx(
        (centre - half, centre + half), rel=1e-5
    )
    two = reliability(confidence[[0, 99]], is_right[[0, 99]])
    assert calibration_error(two) == pytest.approx(abs(0.75 - is_right[[0, 99]].mean()))


@pytest.mark.parametrize("name", ["$\\frac{1}{0}$ and $x", "line\nbreak", "x" * 10_000, "<b>&"])
def test_any_name_is_drawn(name, tmp_path):
    counts = pd.DataFrame(np.eye(2, dtype=int), [name, "b"], [name, "b"])
    means = pd.Series([2.0, 1.0], [name, "b"])
    for place, figure in enumerate((plots.confusion_matrix(counts), plots.importance_bar(means))):
        shown = texts(figure.axes[0].get_yticklabels())
        assert all(len(text) < 100 and "\n" not in text for text in shown)
        plots.save(figure, tmp_path / str(place))
        assert "</svg>" in plots.svg(figure, "a")


def test_a_notebook_shows_a_figure_as_it_is():
    assert FIGURES["bar"]()._repr_png_().startswith(b"\x89PNG")


def test_arguments_of_a_figure_may_be_named():
    truth, chances = np.array(["a", "b"] * 4), pd.DataFrame({"a": np.linspace(0, 1, 8)})
    chances["b"] = 1 - chances["a"]
    figure = plots.roc_curves(targets=truth, probabilities=chances)
    assert figure.axes
    counts = pd.DataFrame([[2, 0], [1, 3]], index=["a", "b"], columns=["a", "b"])
    assert plots.confusion_matrix(counts=counts).axes
