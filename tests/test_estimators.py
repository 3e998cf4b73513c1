"""Estimators keep scikit-learn's promises; AnnData comes back with what scanpy goes on from."""

import functools
import pickle

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy.stats import spearmanr
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator

import autogenome_tf as ag
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 12)).astype("float32")
LABELS = np.where(X[:, 0] + X[:, 1] > 0, "tumour", "healthy")
VALUES = X[:, :2] @ [[1.0], [2.0]] + 3.0
QUICK = {"search": {"epochs": 30, "folds": 2, "method": "random"}, "training": {"epochs": 30}}
LATENT = {
    "families": {"resvae": {"latent": 1, "start_width": 8, "layers": 1}},
    "search": {"epochs": 2, "folds": 1},
    "training": {"epochs": 2},
}


# Checks of rows, which all estimators take and refuse in the same functions of their base.
OF_ROWS = {
    "check_estimator_sparse_matrix", "check_estimator_sparse_array", "check_estimators_dtypes",
    "check_dtype_object", "check_estimators_nan_inf",
}  # fmt: skip
# Checks that rows in folds cannot pass: a repeated row is drawn for folds by itself, and the spread
# that penalties are in units of is that of rows. test_row_weights.py compares what no fold decides.
OF_FOLDS = {f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")}


def checks():
    """Pairs of estimator and check of scikit-learn."""
    one = {"gene_power": 0, "l2": 0.1}
    quick = QUICK | {"search": QUICK["search"] | {"folds": 1}}
    linear = (
        ag.AutoGenomeClassifier({"linear": one | {"loss": "logistic"}}, 1, config=quick),
        ag.AutoGenomeRegressor({"linear": one | {"loss": "ridge"}}, 1, config=quick),
    )
    latent = LATENT | {"training": {"epochs": 2, "learning_rate": 0.01}}
    for estimator in (*linear, ag.ResVAE(latent=1, config=latent)):
        left_out = OF_FOLDS if estimator is linear[0] else OF_FOLDS | OF_ROWS
        for made, check in estimator_checks_generator(estimator):
            if check.func.__name__ not in left_out:
                name = f"{type(estimator).__name__}-{check.func.__name__}"
                yield pytest.param(made, check, id=name)


@pytest.mark.slow
@pytest.mark.parametrize(("estimator", "check"), checks())
def test_scikit_learn_finds_nothing_wrong(estimator, check, monkeypatch):
    # Networks compute in float32, and products of a row may depend on its place in the batch.
    usual = estimator_checks.assert_allclose_dense_sparse
    rounded = functools.partial(usual, rtol=1e-5)
    monkeypatch.setattr(estimator_checks, "assert_allclose_dense_sparse", rounded)
    check(estimator)


@pytest.fixture(scope="module")
def classifier(few_learners):
    """Fitted on a frame, with a network."""
    frame = pd.DataFrame(X, columns=[f"g{i}" for i in range(12)])
    return ag.AutoGenomeClassifier(
        {"mlp": {"layers": 1, "units": 8}}, max_trials=1, config=QUICK, random_state=3
    ).fit(frame, LABELS)


def test_prediction_sets_hold_the_class_of_most_rows(classifier):
    frame = pd.DataFrame(X, columns=[f"g{i}" for i in range(12)])
    places = np.searchsorted(classifier.classes_, LABELS)
    wide, narrow = (classifier.predict_set(frame, share) for share in (0.95, 0.5))
    assert wide.shape == (len(LABELS), 2) and np.all(wide | ~narrow)
    assert wide[np.arange(len(LABELS)), places].mean() >= 0.9
    with pytest.raises(InputError, match="between 0 and 1; received 90"):
        classifier.predict_set(frame, 90)


def test_new_rows_of_the_same_distribution_have_even_novelty(classifier):
    new = np.random.default_rng(1).normal(size=(400, 12))
    found = classifier.novelty(pd.DataFrame(new, columns=[f"g{i}" for i in range(12)]))
    # Distances of networks that had not seen a row are compared with those of the final model.
    assert 0.4 < found.mean() < 0.6 and (found < 0.1).mean() < 0.2


def test_rows_far_from_all_classes_are_novel(classifier):
    frame = pd.DataFrame(X, columns=[f"g{i}" for i in range(12)])
    assert classifier.novelty(frame).mean() > 0.3
    assert classifier.novelty(20 * frame).mean() < 0.05


def test_classes_come_back_as_they_were_given(classifier):
    frame = pd.DataFrame(X, columns=[f"g{i}" for i in range(12)])
    assert list(classifier.classes_) == ["healthy", "tumour"]
    assert list(classifier.feature_names_in_) == list(frame)
    chances, told = classifier.predict_proba(frame), classifier.predict(frame)
    assert chances.shape == (80, 2) and np.allclose(chances.sum(axis=1), 1)
    assert np.array_equal(classifier.classes_[chances.argmax(axis=1)], told)
    assert classifier.score(frame, LABELS) > 0.8
    assert set(classifier.leaderboard_["family"]) == {"linear", "mlp"}


def test_a_pickle_predicts_the_same(classifier):
    frame = pd.DataFrame(X, columns=[f"g{i}" for i in range(12)])
    back = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(back.predict_proba(frame), classifier.predict_proba(frame))


def test_a_pipeline_is_cross_validated_with_sparse_rows_too():
    made = ag.AutoGenomeRegressor(["linear"], max_trials=1, config=QUICK)
    pipeline = make_pipeline(StandardScaler(with_mean=False), made)
    scores = cross_val_score(pipeline, scipy.sparse.csr_matrix(X), VALUES[:, 0], cv=2)
    assert scores.min() > 0.9


def test_a_regression_keeps_the_shape_of_its_targets():
    two = np.hstack([VALUES, -VALUES])
    for given in (VALUES[:, 0], two):
        made = ag.AutoGenomeRegressor(["linear"], max_trials=1, config=QUICK).fit(X, given)
        assert made.predict(X).shape == given.shape and made.score(X, given) > 0.9


def test_missing_values_are_taken_where_the_config_says_so():
    holed = X.copy()
    holed[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ag.AutoGenomeRegressor(["linear"], config=QUICK).fit(holed, VALUES[:, 0])
    config = QUICK | {"data": {"missing": "mean"}}
    made = ag.AutoGenomeRegressor(["linear"], max_trials=1, config=config).fit(holed, VALUES[:, 0])
    assert np.isfinite(made.predict(holed)).all()


def test_a_value_that_the_transform_is_not_defined_for_is_refused():
    config = QUICK | {"data": {"transform": "log1p"}}
    made = ag.AutoGenomeRegressor(["linear"], max_trials=1, config=config)
    made.fit(np.abs(X), VALUES[:, 0])
    with pytest.raises(InputError, match="X: sample 'row_1', gene 'feature_1': received -9"):
        made.predict(np.where(np.arange(12) == 0, -9.0, np.abs(X)))


def test_a_wrong_key_of_the_config_is_named():
    with pytest.raises(InputError, match="search.epoch"):
        ag.AutoGenomeRegressor(config={"search": {"epoch": 3}}).fit(X, VALUES[:, 0])


def test_a_single_family_may_be_named_and_a_config_is_a_dict():
    assert list(ag.AutoGenomeClassifier(families="mlp")._asked()["families"]) == ["mlp"]
    with pytest.raises(InputError, match=r"expected a dict of keys .*received 'a.json'"):
        ag.AutoGenomeClassifier(config="a.json").fit(X, LABELS)


def learned(made, *arguments):
    """The config and the rows that an estimator hands on."""
    handed = {}

    class Stopped(Exception):
        pass

    def stop(config, data):
        handed.update(config=config, data=data)
        raise Stopped

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("autogenome_tf.estimators._estimator.AutoGenome", stop)
        with pytest.raises(Stopped):
            made.fit(*arguments)
    return handed["config"], handed["data"]


def test_weights_are_those_of_the_labels():
    made = ag.AutoGenomeClassifier(config={"task": {"class_weight": {"tumour": 5.0}}})
    config, (_, y) = learned(made, X, LABELS)
    assert config["task"] == {"type": "classification", "class_weight": {"1": 5.0}}
    assert set(y[LABELS == "tumour"]) == {"1"}
    made = ag.AutoGenomeClassifier(config={"task": {"class_weight": {"1": 5.0}}})
    assert learned(made, X, np.where(LABELS == "tumour", 2, 1))[0]["task"]["class_weight"] == {
        "0": 5.0
    }
    with pytest.raises(InputError, match=r"class_weight: unknown name 'tumor'.*mean 'tumour'"):
        ag.AutoGenomeClassifier(config={"task": {"class_weight": {"tumor": 5.0}}}).fit(X, LABELS)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_genes_keep_their_names(is_sparse):
    frame = pd.DataFrame(X, columns=[f"TP{gene}" for gene in range(12)])
    if is_sparse:
        frame = frame.astype(pd.SparseDtype("float32", 0))
    for made, y in ((ag.AutoGenomeClassifier(), LABELS), (ag.ResVAE(), None)):
        _, (rows, _) = learned(made, frame, y)
        assert list(rows.columns) == list(frame.columns)
        np.testing.assert_array_equal(rows.to_numpy(), X)


def test_rows_and_targets_belong_together_by_position():
    rows = [f"s{number}" for number in range(len(X))]
    given = pd.DataFrame(X, index=rows).rename("g{}".format, axis=1)
    made = ag.AutoGenomeRegressor(["linear"], max_trials=1, config=QUICK)
    with pytest.warns(UserWarning, match=r"different orders.*row i of y; y\.loc\[X\.index\] pairs"):
        made.fit(given, pd.Series(VALUES[:, 0], index=rows[::-1]))
    by_labels = made.predict(given)
    by_place = made.fit(given.reset_index(drop=True), VALUES[:, 0]).predict(given)
    np.testing.assert_array_equal(by_labels, by_place)


def test_classes_that_are_left_out_do_not_shift_the_others():
    labels = np.where(X[:, 0] > 0, "tumour", "healthy")
    labels[5] = "other"
    quick = QUICK | {"data": {"rare_classes": "leave_out"}}
    made = ag.AutoGenomeClassifier(["linear"], 1, config=quick).fit(X, labels)
    assert made.classes_.tolist() == ["healthy", "tumour"]
    assert (made.predict(X) == labels).mean() > 0.9


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, r"^y: a class needs at least 2 members; these have one: 'rare'\."),
        ({"rare_classes": "merge"}, "config: data.rare_classes: received 'merge'.*'leave_out'"),
    ],
)
def test_rare_classes_are_refused_by_their_own_names(data, text):
    labels = np.where(np.arange(len(X)) == 5, "rare", LABELS)
    with pytest.raises(InputError, match=text):
        ag.AutoGenomeClassifier(["linear"], 1, config=QUICK | {"data": data}).fit(X, labels)


def test_names_that_are_numbers_are_names():
    entrez = pd.DataFrame(X, columns=range(7157, 7157 + X.shape[1]))
    made = ag.AutoGenomeClassifier(["linear"], 1, config=QUICK).fit(entrez, LABELS)
    assert list(made.predictor_.features) == [str(name) for name in entrez]
    assert (made.predict(entrez) == LABELS).mean() > 0.9
    with pytest.raises(ValueError, match="same order"):
        made.predict(entrez.iloc[:, ::-1])


def test_what_a_mask_covers_is_missing_and_dates_are_no_values():
    made = ag.AutoGenomeClassifier(["linear"], 1, config=QUICK)
    with pytest.raises(ValueError, match="NaN"):
        made.fit(np.ma.masked_greater(X, 1.0), LABELS)
    with pytest.raises(InputError, match=r"X: received values of type datetime64\[D\]"):
        made.fit(np.zeros(X.shape, "M8[D]"), LABELS)


def test_cells_are_refused_with_what_takes_them(adata):
    for model in (ag.AutoGenomeClassifier(), ag.AutoGenomeRegressor()):
        with pytest.raises(InputError, match="received AnnData; .* adata.to_df"):
            model.fit(adata, np.arange(len(adata)) % 2)


def test_tools_for_cells_refuse_what_is_none():
    for tool in (
        lambda x: ag.tl.classify(x, "dx"),
        ag.tl.resvae,
        lambda x: ag.tl.survival(x, "t", "e"),
    ):
        with pytest.raises(InputError, match="adata: expected an AnnData.*received DataFrame"):
            tool(pd.DataFrame(X))


def test_labels_of_several_types_are_refused():
    mixed = np.array([1, "x"] * (len(X) // 2), object)
    with pytest.raises(InputError, match=r"y: .*several types \(int, str\).*y\.astype\(str\)"):
        ag.AutoGenomeClassifier(["linear"]).fit(X, mixed)


@pytest.mark.parametrize("kind", ["array", "sparse", "frame"])
def test_a_feature_that_counts_the_rows_stays_a_feature(kind):
    counted = np.column_stack([np.arange(len(X)), X])
    frame = pd.DataFrame(counted, columns=["Subject", *(f"g{n}" for n in range(X.shape[1]))])
    given = {"array": counted, "sparse": scipy.sparse.csr_matrix(counted), "frame": frame}[kind]
    made = ag.AutoGenomeRegressor(["linear"], max_trials=1, config=QUICK).fit(given, VALUES[:, 0])
    assert len(made.predictor_.features) == counted.shape[1] == made.n_features_in_
    assert made.predict(given).shape == (len(X),)


def test_numbers_may_be_numpys():
    made = ag.AutoGenomeClassifier(
        families=np.array(["mlp"]), max_trials=np.int64(3), ensemble_size=np.int64(2),
        config={"search": {"epochs": np.int64(4)}},
    )  # fmt: skip
    config, _ = learned(made, X, LABELS)
    checked = Config.of(config)
    assert (checked.search.max_trials, checked.ensemble.size, checked.search.epochs) == (3, 2, 4)
    assert Config.of(learned(ag.ResVAE(latent=np.int64(8)), X)[0]).families["resvae"]["latent"] == 8


def test_latent_means_have_names_and_lead_back():
    made = ag.ResVAE(latent=1, config=LATENT).fit(X)
    latent = made.transform(X)
    assert latent.shape == (80, 1) and list(made.get_feature_names_out()) == ["resvae0"]
    assert made.inverse_transform(latent).shape == X.shape


# AnnData -----------------------------------------------------------------------------------


@pytest.fixture
def adata():
    """Cells with labels, some of them missing."""
    labels = pd.Series(LABELS, dtype=object)
    labels[:5] = None
    obs = pd.DataFrame({"cell_type": labels.to_numpy()}, index=[f"c{i}" for i in range(80)])
    return anndata.AnnData(X.copy(), obs, pd.DataFrame(index=[f"g{i}" for i in range(12)]))


@pytest.mark.parametrize("is_distinct", [True, False])
@pytest.mark.filterwarnings("ignore:Observation names are not unique")
def test_cells_are_classified_those_without_a_label_too(adata, is_distinct, tmp_path):
    if not is_distinct:  # those without a label have the names of others
        adata.obs_names = [f"c{i % 60}" for i in range(80)]
    config = QUICK | {"families": {"linear": {}}, "output_dir": str(tmp_path)}
    automl = ag.tl.classify(adata, "cell_type", config)
    assert automl.folder == tmp_path / "classify"
    assert set(adata.obs["cell_type_part"].cat.categories) == {"new", "test", "train"}
    assert (adata.obs["cell_type_part"][:5] == "new").all()
    told = adata.obs["cell_type_predicted"].astype(str)
    assert (told == LABELS).mean() > 0.8
    assert adata.obs["cell_type_confidence"].between(0.5, 1).all()
    assert adata.obs["cell_type"].isna().sum() == 5


def test_a_cell_may_be_called_as_a_missing_value_is(adata, tmp_path):
    adata.obs_names = ["NA", "nan", *adata.obs_names[2:]]
    adata.obs["cell_type"] = LABELS
    config = QUICK | {"families": {"linear": {"loss": "logistic"}}, "output_dir": str(tmp_path)}
    ag.tl.classify(adata, "cell_type", config, ["train"])
    assert set(adata.obs["cell_type_part"]) == {"test", "train"}


IS_TUMOUR = LABELS == "tumour"
TYPED = {
    "bool": IS_TUMOUR,
    "whole": np.where(IS_TUMOUR, 3, 0),
    "with a gap": [None, *IS_TUMOUR[1:].astype(float)],
    "nullable": pd.array([None, *IS_TUMOUR[1:]], "boolean"),
    "ordered": pd.Categorical(LABELS, ["unknown", "tumour", "healthy"], ordered=True),
}


@pytest.mark.parametrize("kind", TYPED)
def test_predicted_labels_are_values_of_their_column(adata, tmp_path, kind):
    adata.obs["truth"] = TYPED[kind]
    config = QUICK | {"families": {"linear": {"loss": "logistic"}}, "output_dir": str(tmp_path)}
    ag.tl.classify(adata, "truth", config, ["train"])
    truth, predicted = adata.obs["truth"], adata.obs["truth_predicted"]
    assert (predicted == truth)[1:].mean() > 0.8
    assert predicted.notna().all()
    adata.write_h5ad(tmp_path / "written.h5ad")


def test_predicted_labels_that_merge_classes_are_text(adata, tmp_path):
    adata.obs["truth"] = np.where(np.arange(80) < 3, 7, np.where(np.arange(80) < 6, 8, IS_TUMOUR))
    config = QUICK | {"families": {"linear": {"loss": "logistic"}}, "output_dir": str(tmp_path)}
    ag.tl.classify(adata, "truth", config | {"data": {"rare_classes": "merge"}}, ["train"])
    assert set(adata.obs["truth_predicted"]) <= {"0", "1", "other"}


def test_times_to_an_event_are_predicted_for_all_samples(adata, tmp_path):
    risk = X[:, 0] - X[:, 0].mean()
    adata.obs["months"] = np.random.default_rng(1).exponential(20 * np.exp(-risk))
    adata.obs["died"] = np.arange(80) % 5 > 0
    adata.obs.loc["c3", "months"] = np.nan
    config = QUICK | {"families": {"linear": {}}, "output_dir": str(tmp_path)}
    automl = ag.tl.survival(adata, "months", "died", config)
    assert automl.folder == tmp_path / "survival"
    assert set(adata.obs["months_part"].cat.categories) == {"new", "test", "train"}
    assert adata.obs["months_part"]["c3"] == "new"
    assert spearmanr(adata.obs["months_risk"], risk)[0] > 0.5
    curves = adata.obsm["months_survival"]
    assert list(curves.index) == list(adata.obs_names) and curves.notna().all(axis=None)
    assert np.all(np.diff(curves, axis=1) <= 0) and np.all(
        np.diff(curves.columns.astype(float)) > 0
    )
    medians = adata.obs["months_median"]
    assert spearmanr(medians, adata.obs["months_risk"], nan_policy="omit")[0] < -0.9


def test_a_latent_space_lies_in_obsm(adata, tmp_path):
    config = LATENT | {"output_dir": str(tmp_path)}
    automl = ag.tl.resvae(adata, config=config | {"data": {"scale": "none"}})
    # A key beside those that the tool sets does not take their place.
    assert automl.config.data.split.test == 0 and automl.config.data.scale == "none"
    assert adata.obsm["X_resvae"].shape == (80, 1)
    again = automl.predict(adata).filter(regex="^z").to_numpy()
    assert np.array_equal(adata.obsm["X_resvae"], again)


def test_another_task_is_refused():
    mixed = ag.AutoGenomeClassifier(config={"task": {"type": "mixed"}})
    with pytest.raises(
        InputError, match="AutoGenomeClassifier: expected.*'classification'.*'mixed'"
    ):
        mixed.fit(np.eye(4), [0, 0, 1, 1])


@pytest.mark.parametrize("section", [None, "mixed"])
def test_a_task_that_is_no_section_is_refused_as_in_a_config(section):
    with pytest.raises(InputError, match="config: task: expected a JSON object"):
        ag.AutoGenomeClassifier(config={"task": section}).fit(np.eye(4), [0, 0, 1, 1])
