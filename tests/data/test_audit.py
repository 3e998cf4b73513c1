"""What is said about rows before scores are believed: where it is planted, and only there."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from autogenome_tf.data import Dataset, Split
from autogenome_tf.data._audit import association, audit, explained
from autogenome_tf.data._misspelt import misspelt
from autogenome_tf.data._row_scales import rows_of_another_scale

ROWS = 120


def dataset(labels=None, values=None, **origins):
    """Random rows, half of two classes each unless told otherwise."""
    values = np.random.default_rng(0).normal(size=(ROWS, 5)) if values is None else values
    labels = np.array(["a", "b"] * (ROWS // 2), object) if labels is None else labels
    samples = np.array([f"s{row}" for row in range(ROWS)], object)
    columns = pd.DataFrame(origins).astype(object) if origins else None
    return Dataset(values, samples, list("vwxyz"), labels, ["y"], origins=columns)


def part(tested=40):
    """The last rows are tested."""
    return parts(["train"] * (ROWS - tested) + ["test"] * tested)


def parts(names, fold=0):
    """`Split` of names, in one fold."""
    return Split(np.array(names, object), np.full(ROWS, fold))


def about(*arguments, **options):
    """What the warnings are about."""
    return [warning["about"] for warning in audit(*arguments, **options)]


def test_nothing_is_said_of_sound_rows():
    batches = np.repeat(["one", "two", "three", "four"], ROWS // 4)
    assert audit(dataset(batch=batches), part(), "classification") == []


@pytest.mark.parametrize("word", ["unlabelled", "Unlabeled", "UNKNOWN", "Unassigned"])
def test_labels_of_a_latent_space_that_stand_for_none_are_warned_of(word):
    labels = np.array(["T", "B", word, ""] * (ROWS // 4), object)
    (found,) = audit(dataset(labels), part(), "representation")
    assert found["about"] == "classes" and f"'{word}' (30 rows) may stand for a" in found["text"]
    assert audit(dataset(np.where(labels == word, "NK", labels)), part(), "representation") == []


def test_targets_of_several_kinds_are_warned_of_by_name_and_persons_once():
    kinds, ages = np.array(["a"] * ROWS, object), np.linspace(20.0, 80.0, ROWS)
    kinds[4::20], ages[::10] = "b", -999.0
    targets = np.stack([kinds, ages.astype(object)], axis=1)
    targets[1] = None
    patients = [f"p{row % 60}" for row in range(ROWS)]
    own = dataclasses.replace(dataset(targets, patient=patients), target_names=["type", "age"])
    texts = [one["text"] for one in audit(own, part(), "mixed")]
    assert sum("same patient" in text for text in texts) == 1
    assert any(text.startswith("age: ") and "-999" in text for text in texts)
    unequal = [text for text in texts if "unequal" in text]
    assert unequal[0].startswith("type: Classes are unequal: 'a' has 113 rows, 'b' 6.")
    assert len(unequal) == 1 and "class_weight" not in unequal[0]


@pytest.mark.parametrize("is_sparse", [False, True])
def test_test_rows_that_were_learned_from_are_counted(is_sparse):
    values = dataset().values.copy()
    values[[100, 110]] = values[[0, 3]]
    values[0, 0], values[100, 0] = 0.0, -0.0
    labels = dataset().targets.copy()
    labels[[100, 110]] = labels[[0, 3]]
    rows = scipy.sparse.csr_matrix(values) if is_sparse else values
    (warning,) = audit(dataset(labels, rows), part(), "classification")
    assert warning["about"] == "duplicates"
    assert (
        warning["text"].startswith("2 of 40 held-out rows") and "'s100' and 's0'" in warning["text"]
    )


def test_training_rows_that_another_fold_has_too_are_counted():
    values = np.random.default_rng(1).normal(size=(ROWS, 5))
    values[50] = values[60]
    folds = np.where(np.arange(ROWS) < 55, 1, 2)
    split = Split(part().part, np.where(part().part == "train", folds, 0))
    assert split.fold[[50, 60]].tolist() == [1, 2]
    found = audit(dataset(values=values), split, "classification")
    assert len(found) == 1 and found[0]["about"] == "duplicates"
    assert "2 training rows equal a training row of another fold" in found[0]["text"]
    split.fold[50] = 2
    assert audit(dataset(values=values), split, "classification") == []


@pytest.mark.parametrize(
    ("name", "other", "is_found"),
    [
        ("RSM", "RMS", True), ("lumnal", "luminal", True), ("BURKIT", "BURKITT", True),
        ("stage1", "stage2", False), ("EWS", "RMS", False), ("T", "B", False),
        ("NBL", "NB", False),
    ],
)  # fmt: skip
def test_a_rare_class_that_is_nearly_another_is_named(name, other, is_found):
    counts = [(other, 40), ("other", 30), (name, 2)]
    pairs = list(misspelt(counts))
    assert pairs == ([((name, 2), (other, 40))] if is_found else [])


def test_equal_rows_of_two_labels_are_counted():
    values = dataset().values.copy()
    values[1] = values[0]
    (warning,) = audit(dataset(values=values), part(), "classification")
    assert "2 rows" in warning["text"] and "another label" in warning["text"]


def test_unequal_and_tiny_classes_are_named():
    labels = np.array(["big"] * 100 + ["small"] * 9 + ["big"] * 11, object)
    warnings = [w["text"] for w in audit(dataset(labels), part(), "classification")]
    assert "'big' has 111 rows, 'small' 9" in warnings[0]
    assert "Fewer than 10 training rows in a class: 'small (0)'" in warnings[1]
    train = parts(np.where(labels == "small", "train", part().part))
    assert (
        "The test part has no row of 'small'"
        in audit(dataset(labels), train, "classification")[2]["text"]
    )


def test_few_test_rows_are_said():
    (warning,) = audit(dataset(), part(20), "classification")
    assert warning["about"] == "test" and "5 percentage points" in warning["text"]
    assert about(dataset(), parts(["train"] * ROWS), "classification") == []
    values = dataset(np.random.default_rng(0).normal(size=(ROWS, 1)))
    (warning,) = audit(values, part(20), "regression")
    assert warning["text"] == "The test part has 20 rows: the scores of so few are uncertain."


def test_few_rows_to_learn_from_are_said_without_a_test_part_too():
    values = dataset(np.random.default_rng(0).normal(size=(ROWS, 1)))
    few = values.rows(np.arange(5))
    (warning,) = audit(few, Split(np.full(5, "train", object), np.zeros(5, int)), "regression")
    assert warning["text"].startswith("Only 5 rows to learn from")
    assert about(values, parts(["train"] * ROWS), "regression") == []


def test_a_batch_that_tells_the_label_is_named():
    labels = np.repeat(["a", "b"], ROWS // 2).astype(object)
    batches = np.repeat(["one", "two"], ROWS // 2)
    random = parts(np.random.default_rng(0).permutation(part().part))
    (warning,) = audit(dataset(labels, batch=batches), random, "classification")
    assert warning["about"] == "batch" and "Cramér's V 1.00" in warning["text"]
    values = np.where(batches == "one", 0.5, 3.5)[:, None]
    assert about(dataset(values, batch=batches), random, "regression") == ["batch"]


def test_persons_on_both_sides_are_said_unless_they_are_the_group():
    donors = np.array([f"d{row % 7}" for row in range(ROWS)])
    (warning,) = audit(dataset(donor=donors), part(), "classification")
    assert warning["about"] == "group" and "7 of them" in warning["text"]
    assert about(dataset(donor=donors), part(), "classification", group="donor") == []
    few = np.array([f"d{row % 80}" for row in range(ROWS)])
    (warning,) = audit(dataset(donor=few), part(), "classification")
    assert warning["about"] == "group" and "40 of them" in warning["text"]


def test_without_a_test_part_folds_are_looked_at():
    values = dataset().values.copy()
    values[60:] = values[:60]
    donors = np.array([f"d{row % 60}" for row in range(ROWS)])
    folds = Split(np.full(ROWS, "train", object), 1 + np.arange(ROWS) // 60)
    assert about(dataset(values=values, donor=donors), folds, "classification") == [
        "duplicates", "group", "batch",
    ]  # fmt: skip


def test_rows_of_a_further_file_that_are_known_are_said():
    scored = dataset().rows(np.arange(25))
    warnings = audit(dataset(), part(), "classification", scored=scored)
    assert [warning["about"] for warning in warnings] == ["duplicates", "test"]
    assert "25 of 25 rows of data.evaluate" in warnings[0]["text"]


def test_association_is_corrected_for_many_levels():
    random = np.random.default_rng(0)
    labels = random.choice(list("ab"), 200)
    assert association(labels, random.integers(0, 60, 200).astype(str)) < 0.2
    assert association(labels, np.where(labels == "a", "x", "y")) == pytest.approx(1)
    assert association(labels, np.full(200, "x")) == 0
    values = random.normal(size=200)
    assert explained(random.integers(0, 60, 200).astype(str), values) < 0.2
    assert explained(labels, (labels == "a") + 1e-3 * values) == pytest.approx(1, abs=1e-3)
    assert explained(labels, np.ones(200)) == 0


def test_origins_of_cells_go_with_labels_that_name_them(tmp_path):
    from autogenome_tf import data

    anndata = pytest.importorskip("anndata")
    samples = [f"s{row}" for row in range(ROWS)]
    batches = np.repeat(["one", "two"], ROWS // 2)
    obs = pd.DataFrame({"batch": batches}, index=samples)
    cells = anndata.AnnData(pd.DataFrame(dataset().values, samples, list("vwxyz")), obs=obs)
    labels = pd.Series(["a", "b"] * (ROWS // 2), samples, name="y").iloc[::-1]
    assert data.write_rows(tmp_path / "x.npz", cells, labels) == ["y"]
    table = data.read_table(tmp_path / "x.npz")
    assert list(table.extra["batch"]) == list(batches)
    assert list(table.extra["y"]) == ["a", "b"] * (ROWS // 2)


@pytest.mark.parametrize("is_annotated", [False, True])
def test_origins_are_read_with_the_rows(tmp_path, is_annotated):
    from autogenome_tf import data
    from autogenome_tf.config._config import Config

    values = dataset().values
    samples = [f"s{row}" for row in range(ROWS)]
    columns = pd.DataFrame(
        {
            "y": ["a", "b"] * (ROWS // 2), "Seq_Batch": ["one", "two"] * (ROWS // 2),
            "phase": ["g1", "s"] * (ROWS // 2), "run": samples,
            "donor": [f"d{row % 80}" for row in range(ROWS)], "patient": samples,
        },
        index=pd.Index(samples, name="sample"),
    )  # fmt: skip
    genes = pd.DataFrame(values, samples, list("vwxyz"))
    if is_annotated:
        anndata = pytest.importorskip("anndata")
        cells = anndata.AnnData(genes, obs=columns)
        assert data.write_rows(tmp_path / "x.npz", cells, "y") == ["y"]
        given = {"features": str(tmp_path / "x.npz"), "target": "y"}
    else:
        genes.to_csv(tmp_path / "x.csv")
        columns.to_csv(tmp_path / "y.csv")
        given = {"features": str(tmp_path / "x.csv"), "targets": str(tmp_path / "y.csv")}
        given["target"] = "y"
    config = Config.of({"name": "t", "data": given})
    found = data.load_labelled(config.data, "classification")
    # A value of its own in every row tells nothing.
    assert list(found.origins.columns) == ["Seq_Batch", "donor"]
    assert list(found.rows([1, 0]).origins["Seq_Batch"]) == ["two", "one"]


@pytest.mark.parametrize(
    ("names", "rule"),
    [(["TP53", "tp53"], "upper and lower case"),
     (["ENSG00000141510.1", "ENSG00000141510.2"], "the version of Ensembl ids"),
     (["TP53", "TP63"], None), (["ENSG00000002586.20", "ENSG00000002586.20_PAR_Y"], None)],
)  # fmt: skip
def test_genes_whose_names_are_nearly_the_same_are_named(names, rule):
    rows = dataclasses.replace(dataset(), features=[*names, "MYC", "EGFR", "KRAS"])
    found = [one["text"] for one in audit(rows, part(), "classification")]
    assert len(found) == (rule is not None)
    assert rule is None or f"Names that differ in {rule} alone" in found[0]


def test_samples_and_genes_that_are_nearly_empty_are_named():
    values = np.random.default_rng(0).normal(size=(ROWS, 5))
    assert not about(dataset(values=values), part(), "classification")
    values[:, 2] = np.nan
    values[7, 1:] = np.nan
    found = [one["text"] for one in audit(dataset(values=values), part(), "classification")]
    assert "1 genes have no value in any sample, such as 'x'." in found
    (said,) = [text for text in found if "lack most" in text]
    assert "'s7' (1 of 5 genes have one)" in said


def test_a_warning_of_rows_to_evaluate_from_the_same_files_comes_once():
    rows = dataset().warned("matching", "x.tsv: rows are matched by their order.")
    found = about(rows, part(), "classification", scored=rows)
    assert found.count("matching") == 1


def test_targets_to_evaluate_in_another_unit_are_named():
    days = np.random.default_rng(0).exponential(400, (ROWS, 1)) + 1
    rows = dataclasses.replace(dataset(), targets=days, target_names=["days"])
    for factor, code, said in (
        (1, None, []), (1 / 365, None, ["days: its values are of another size"]),
        (1, -9, ["days: 1 values are -9"]),
    ):  # fmt: skip
        new = days * factor
        new[3] = new[3] if code is None else code
        scored = dataclasses.replace(rows, targets=new)
        found = audit(rows, part(), "regression", scored=scored)
        texts = [one["text"] for one in found if one["text"].startswith("data.evaluate: days")]
        assert len(texts) == len(said) and all(a in b for a, b in zip(said, texts, strict=True))


def test_rows_of_another_scale_are_named():
    linear = np.random.default_rng(0).lognormal(6, 1.5, (ROWS, 25))
    mixed = np.where(np.arange(ROWS)[:, None] % 3 == 0, np.log2(linear), linear)
    (said,) = rows_of_another_scale(mixed, [f"s{row}" for row in range(ROWS)])
    assert said.startswith(f"{ROWS // 3} of {ROWS} rows are of another") and "'s0'" in said
    depths = np.where(np.arange(ROWS)[:, None] % 3 == 0, 0.01, 1)
    for values in (linear, np.log2(linear), np.rint(linear * depths), np.full((4, 25), np.nan)):
        assert not list(rows_of_another_scale(values, []))


def test_rows_of_one_gene_have_no_scale():
    gene = np.random.default_rng(0).normal(size=(ROWS, 1))
    assert not list(rows_of_another_scale(gene, []))


def test_a_class_in_one_fold_is_named():
    labels = np.array(["a", "b", "c"] * (ROWS // 3), object)
    for folds, count in ((np.arange(ROWS) // 3 % 5 + 1, 0), (np.arange(ROWS) % 3 + 1, 1)):
        parts = Split(np.full(ROWS, "train", object), folds)
        found = [one["text"] for one in audit(dataset(labels), parts, "classification")]
        said = [text for text in found if "are in one fold each" in text]
        assert len(said) == count and all("rows of 'a', 'b', 'c' are" in text for text in said)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_samples_of_one_value_are_named(form):
    values = np.random.default_rng(0).poisson(30, (ROWS, 25)).astype("float32")
    values[7] = 0

    def of(values):
        names = [f"g{place}" for place in range(values.shape[1])]
        rows = dataclasses.replace(dataset(), values=values, features=names)
        return [one["text"] for one in audit(rows, part(), "classification")]

    (said,) = [text for text in of(form(values)) if "same value in all genes" in text]
    assert said.startswith("1 samples have") and "'s7'" in said
    for levels in (values.clip(0, 9), values[:, :3]):
        assert not any("same value" in text for text in of(form(levels)))


def test_a_class_in_one_group_is_named():
    labels = np.array(["a", "b", "c"] * (ROWS // 3), object)
    groups = np.array([f"d{row % 4}" for row in range(ROWS)], object)
    rows = dataclasses.replace(dataset(labels), groups=groups)
    texts = [one["text"] for one in audit(rows, part(), "classification")]
    assert not any("in one group each" in text for text in texts)
    groups[labels == "c"] = "d1"
    texts = [one["text"] for one in audit(rows, part(), "classification")]
    assert any(text.startswith("All rows of 'c' are in one group each") for text in texts)
