"""What a client of the SavedModel may rely on, asked as TensorFlow Serving asks."""

import json
import logging
import os
import subprocess
import sys
import urllib.error
import urllib.request
import warnings

import grpc
import numpy as np
import pandas as pd
import pytest
import scipy.special
import tensorflow as tf

import autogenome_tf as ag
from autogenome_tf import cli, explainers, families
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.data import Dataset
from autogenome_tf.export._export import WARM_UP, next_version
from autogenome_tf.export._graph import Served
from autogenome_tf.models import LatentModel, Predictor
from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.preprocessing import FittedScaling, Moments, Transform
from autogenome_tf.tasks import Classification, Regression

pytestmark = pytest.mark.usefixtures("few_learners")

serving_api = pytest.importorskip("tensorflow_serving.apis")
from documents import GUIDES, block  # noqa: E402
from model_server import Model, serving  # noqa: E402 (it needs the package that may be missing)
from tensorflow_serving.apis import (  # noqa: E402
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

GENES = [f"gène {i}" for i in range(20)]
VALUES = np.random.default_rng(0).poisson(5, (30, 20)).astype("float32")
# In the place of two genes, levels of a covariate for the model that has one.
VALUES[:, 18:] = np.eye(2)[np.arange(30) % 2]
TASKS = {
    "classification": Classification(["healthy", "tumour", "cell line"]),
    "regression": Regression(["height", "rate"], "mse", np.array([10.0, -3]), np.array([2, 0.5])),
}
FAMILIES = {
    "linear": {"l2": 0.1},
    "mlp": {"layers": 2, "units": 8},
    "resnet": {"n_blocks": 1, "width": 8, "activation": "tanh"},
    "densenet": {"block_config": [1, 1], "growth_rate": 4, "bottleneck": 4, "activation": "elu"},
    "wired": {"layers": 3, "max_width": 8, "width_2": 2, "width_3": 4, "skip_1_3": 1},
}  # fmt: skip
# A graph of each family is saved once: here, and densenet's as a regression.
CLASSIFIERS = tuple(name for name in FAMILIES if name != "densenet")
LIKELIHOODS = ("gaussian", "bernoulli", "negative_binomial", "zero_inflated")


def constants_of(transform, missing="mean", kept=None):
    """`FittedScaling` of all rows."""
    rows = np.asarray(transform(VALUES))
    moments = Moments.of([rows]).with_median(rows)
    found = FittedScaling.of(moments, "standard", missing, moments.most_variable(kept))
    return found.ranked(rows, "standard", missing) if transform.name == "rank" else found


def predictor_of(kind, family="mlp", transforms=("log1p",), missing="mean", kept=None):
    """A `Predictor` of random weights, a network a transform."""
    branches = []
    for name in transforms:
        transform = Transform(name, is_filled=missing == "zero")
        constants = constants_of(transform, missing, kept)
        hypermodel = families.hypermodel(family)(len(constants.genes), TASKS[kind])
        branches.append((transform, constants, hypermodel.network(FAMILIES[family])))
    return Predictor.assemble(branches, TASKS[kind], GENES, missing, 1.7)


def embedding_of(likelihood, covariates=0):
    """An `LatentModel` of random weights."""
    transform, genes = Transform("log1p"), 20 - covariates
    constants = FittedScaling.of(Moments.of([np.asarray(transform(VALUES[:, :genes]))]))
    network = ResVAE(
        genes=genes, latent=3, widths=(8, 6), likelihood=likelihood, covariates=covariates
    )
    features = [*GENES[:genes], *(f"batch={i}" for i in range(covariates))]
    return LatentModel.of(
        network, transform, constants, features,
        missing="error", averages=(0.5,) * covariates, library=9.0,
    )  # fmt: skip


PREDICTORS = {
    **{("classification", name): (predictor_of, ("classification", name)) for name in CLASSIFIERS},
    ("regression", "densenet"): (predictor_of, ("regression", "densenet")),
    ("classification", "several"): (
        predictor_of, ("classification", "mlp", ("log1p", "rank", "clr"), "zero", 11)
    ),
    **{("representation", name): (embedding_of, (name,)) for name in LIKELIHOODS},
    ("representation", "covariates"): (embedding_of, ("gaussian", 2)),
}  # fmt: skip


@pytest.fixture(scope="module")
def predictors():
    """One of each kind."""
    made = {"-".join(key): make(*given) for key, (make, given) in PREDICTORS.items()}
    return {name: with_rows(predictor) for name, predictor in made.items()}


def with_rows(predictor):
    """The model, with what it knows of the rows it was trained on."""
    random, outputs = np.random.default_rng(1), predictor.outputs(VALUES)
    targets = np.arange(len(VALUES)) % 3
    if predictor.task.has_units:
        targets = random.normal(size=(len(VALUES), 2))
    # Not those of the rows that are asked: two equal numbers may be rounded to different ones.
    outputs = outputs + 0.1 * random.normal(size=outputs.shape)
    return predictor.with_training_rows(VALUES).with_coverage(targets, outputs, (0.8,))


@pytest.fixture(scope="module")
def folder(predictors, tmp_path_factory):
    """All of them as SavedModels, and what a process with TensorFlow alone made of them."""
    folder = tmp_path_factory.mktemp("saved")
    for name, predictor in predictors.items():
        served = Served(predictor)
        tf.saved_model.save(served, str(folder / name), signatures=served.signatures())
        (folder / name / "names.json").write_text(json.dumps(predictor.features), "utf-8")
    np.save(folder / "values.npy", VALUES)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(folder)], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder


ALONE = """
import json, pathlib, sys
import numpy as np
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
values = np.load(folder / "values.npy")
for path in sorted(path for path in folder.iterdir() if path.is_dir()):
    found, names = {}, json.loads((path / "names.json").read_text("utf-8"))
    for name, signature in tf.saved_model.load(path).signatures.items():
        kind = tf.float64 if name == "serving_float64" else tf.float32
        if name != "predict_genes":
            given = {"genes": tf.constant(names)} if name == "scale" else {}
            answer = signature(values=tf.constant(values, kind), **given)
            found |= {f"{name} {key}": np.asarray(part).astype(
                "U" if part.dtype == tf.string else part.dtype.as_numpy_dtype
            ) for key, part in answer.items()}
    np.savez(folder / f"{path.name}.npz", **found)
assert not {"autogenome_tf", "keras_tuner", "tensorflow_serving"} & set(sys.modules)
"""


# Equal answers -----------------------------------------------------------------------------


def alone(folder, name):
    """What the other process found."""
    with np.load(folder / f"{name}.npz") as found:
        return dict(found)


@pytest.mark.parametrize("family", [*CLASSIFIERS, "several"])
def test_classes_are_told_with_their_names(predictors, folder, family):
    predictor = predictors[f"classification-{family}"]
    found, expected = alone(folder, f"classification-{family}"), predictor.outputs(VALUES)
    assert found["logits logits"] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    chances = scipy.special.softmax(expected, axis=1)
    assert found["serving_default probabilities"] == pytest.approx(chances, rel=1e-5, abs=1e-7)
    frame = predictor.task.frame(expected)
    assert list(found["serving_default prediction"]) == list(frame["prediction"])
    assert len(set(frame["prediction"])) > 1
    assert found["serving_float64 probabilities"].dtype == "float64"
    assert found["serving_float64 probabilities"] == pytest.approx(chances, rel=1e-5, abs=1e-7)


def test_values_are_in_original_units(predictors, folder):
    found = alone(folder, "regression-densenet")
    expected = predictors["regression-densenet"].outputs(VALUES)
    assert found["serving_default prediction"] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert not any(name.startswith("logits") for name in found)


@pytest.mark.parametrize("name", [*LIKELIHOODS, "covariates"])
def test_a_representation_has_latent_means_and_what_they_tell(predictors, folder, name):
    embedding, found = predictors[f"representation-{name}"], alone(folder, f"representation-{name}")
    for signature, output in (
        ("serving_default", "latent"), ("serving_default", "reconstruction"),
        ("encoder", "latent"), ("encoder", "log_variance"), ("serving_float64", "latent"),
    ):  # fmt: skip
        expected = embedding.run(VALUES, output)
        assert found[f"{signature} {output}"] == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kind", ["classification-mlp", "classification-several",
                                  "regression-densenet", "representation-gaussian"])  # fmt: skip
def test_explanations_in_the_graph_are_those_of_the_explainer(predictors, kind):
    predictor, background = predictors[kind], VALUES[10:]
    parts = explainers.in_graph(predictor, background)
    base = tf.constant(predictor.outputs(background).mean(axis=0))
    rows = Dataset(VALUES[:4], list("abcd"), predictor.features)
    explain = Served(predictor, parts, base).signatures()["explain"]
    found = explain(values=tf.constant(VALUES[:4]))
    expected = explainers.explain(predictor, rows, background, "fast_deep_shap")
    largest = float(np.abs(expected.values).max())
    assert found["attributions"].numpy() == pytest.approx(expected.values, abs=1e-5 * largest)
    assert found["base_values"].shape == (4, len(expected.base_values))
    added = found["base_values"] + tf.reduce_sum(found["attributions"], axis=1)
    assert added.numpy() == pytest.approx(predictor.outputs(VALUES[:4]), rel=1e-3, abs=1e-3)


def test_prediction_sets_in_the_graph_are_those_of_predictions(predictors, folder):
    predictor = predictors["classification-mlp"]
    found, outputs = alone(folder, "classification-mlp"), predictor.outputs(VALUES)
    expected = predictor.conformal.p_values(outputs)
    np.testing.assert_allclose(found["prediction_set p_value"], expected, rtol=1e-5)
    is_in = found["prediction_set prediction_set"]
    np.testing.assert_array_equal(is_in, predictor.conformal.sets(outputs, 0.8))
    assert 0 < is_in.mean() < 1
    novelty = predictor.conformal.novelty.p_values(outputs)
    np.testing.assert_allclose(found["prediction_set novelty_p"], novelty, rtol=1e-5)
    assert len(set(novelty)) > 5


def test_prediction_intervals_in_the_graph_are_those_of_predictions(predictors, folder):
    predictor = predictors["regression-densenet"]
    found = alone(folder, "regression-densenet")
    low, high = predictor.conformal.intervals(predictor.outputs(VALUES), 0.8)
    np.testing.assert_allclose(found["prediction_interval low"], low, rtol=1e-5)
    np.testing.assert_allclose(found["prediction_interval high"], high, rtol=1e-5)
    assert np.all(high > low)


def test_no_rows_are_no_error(predictors):
    answer = Served(predictors["classification-mlp"]).signatures()["serving_default"](
        values=tf.zeros((0, 20))
    )
    assert answer["probabilities"].shape == (0, 3) and answer["prediction"].shape == (0,)


# Rows of another scale ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["-".join(key) for key in PREDICTORS])
def test_the_distance_from_the_training_rows_is_that_of_predict(predictors, folder, name):
    predictor = predictors[name]
    genes = len(GENES) - predictor.covariates
    found = alone(folder, name)["scale outside"]
    expected = predictor.trained_on.compare(predictor.branches, VALUES, genes).outside
    assert found == pytest.approx(expected, abs=1e-4) and found.max() < 0.5


def test_rows_of_another_scale_lie_outside(predictors):
    predictor = predictors["classification-mlp"]
    values = (1000 * VALUES).astype("float32")
    expected = predictor.trained_on.compare(predictor.branches, values, len(GENES)).outside
    order = np.random.default_rng(1).permutation(20)
    found = Served(predictor).signatures()["scale"](
        genes=tf.constant(np.array(GENES)[order]), values=tf.constant(values[:, order])
    )["outside"]
    assert found.numpy() == pytest.approx(expected, rel=1e-4) and expected.min() > 1


def test_a_model_that_does_not_know_its_training_rows_has_no_such_signature():
    assert "scale" not in Served(predictor_of("regression")).signatures()


# Bad requests ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signatures(predictors):
    """Of a classification, missing values allowed."""
    return Served(predictors["classification-mlp"]).signatures()


@pytest.mark.parametrize("width", [0, 1, 19, 21])
def test_a_wrong_width_is_never_an_answer(signatures, width):
    for name in ("serving_default", "logits"):
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"{width} columns; expected 20"):
            signatures[name](values=tf.zeros((3, width)))


@pytest.mark.parametrize("value", [np.inf, -np.inf, -1.0])
def test_a_value_the_model_is_not_defined_for_is_named(signatures, value):
    values = VALUES.copy()
    values[3, 7] = value
    said = rf"row 4, gene gène 7: received {value:g}.*; expected a finite number of at least 0, or"
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        signatures["serving_default"](values=tf.constant(values))


def test_missing_values_are_filled_or_refused_as_in_training(predictors, signatures):
    values = VALUES[:3].copy()
    values[1, 2] = np.nan
    found = signatures["logits"](values=tf.constant(values))["logits"]
    assert np.array_equal(found, predictors["classification-mlp"].outputs(values))
    strict = Served(predictor_of("regression", missing="error")).signatures()["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="row 2, gene gène 2: received nan"):
        strict(values=tf.constant(values))


@pytest.mark.parametrize("value", [np.nan, 0.5, np.inf])
def test_a_covariate_is_0_or_1(predictors, value):
    values = VALUES.copy()
    values[:, 18:] = [1, 0]
    predict = Served(predictors["representation-covariates"]).signatures()["serving_default"]
    predict(values=tf.constant(values))
    values[2, 19] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match="row 3, gene batch=1: .* covariate"):
        predict(values=tf.constant(values))


def test_genes_come_in_any_order(signatures):
    expected = signatures["serving_default"](values=tf.constant(VALUES))
    order = np.random.default_rng(1).permutation(20)
    names = ["what training did not have", *np.array(GENES)[order]]
    values = np.hstack([np.full((30, 1), np.nan, "float32"), VALUES[:, order]])
    found = signatures["predict_genes"](genes=tf.constant(names), values=tf.constant(values))
    assert np.array_equal(found["probabilities"], expected["probabilities"])


@pytest.mark.parametrize(
    ("genes", "said"),
    [
        (GENES[:3] + GENES[4:] + ["other"], "genes: 1 of the 20 genes of training are missing: "
                                            "gène 3."),
        (["other"] * 12 + GENES[12:], "gène 0, gène 1, gène 2, gène 3, gène 4 and 7 more"),
        ([*GENES, GENES[4]], "genes: given more than once: gène 4"),
    ],
)  # fmt: skip
def test_genes_that_lack_or_come_twice_are_named(signatures, genes, said):
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        signatures["predict_genes"](genes=tf.constant(genes), values=tf.zeros((2, len(genes))))


def test_as_many_values_as_genes(signatures):
    with pytest.raises(tf.errors.InvalidArgumentError, match="19 columns; expected as many as"):
        signatures["predict_genes"](genes=tf.constant(GENES), values=tf.constant(VALUES[:, 1:]))


def test_predict_refuses_what_the_server_refuses(predictors):
    values = VALUES.copy()
    values[3, 7] = -1
    values[3, 6] = np.nan
    rows = Dataset(values, [f"s{i}" for i in range(30)], GENES, source="new.tsv")
    said = r"new.tsv: sample 's3', gene 'gène 7': received -1; .*log"
    for ask in ("outputs", "predict"):
        with pytest.raises(InputError, match=said):
            getattr(predictors["classification-mlp"], ask)(rows)
    with pytest.raises(InputError, match="the given rows: sample '4', gene 'gène 7'"):
        predictors["classification-mlp"].outputs(values)
    with pytest.raises(InputError, match=said):
        predictors["representation-gaussian"].outputs(rows)
    assert np.isfinite(predictor_of("regression", transforms=("rank",)).outputs(rows)).all()


# The stage ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def automl(tmp_path_factory):
    """A small ensemble, trained and exported."""
    from autogenome_tf.simulation.folder import simulate

    folder = tmp_path_factory.mktemp("run")
    simulate(folder, samples=60, features=40, informative=8, interactions=0)
    automl = ag.AutoGenome({
        "name": "tumours", "output_dir": str(folder), "seed": 3,
        "data": {"features": str(folder / "features.tsv.gz"),
                 "targets": str(folder / "targets.tsv"), "target": "target"},
        "families": {"mlp": {"layers": 1, "units": [4, 8]}},
        "search": {"max_trials": 2, "method": "random", "epochs": 2, "folds": 2, "repeats": 1},
        "ensemble": {"size": 2}, "explanation": {"background": 15},
        "export": {"version": 4},
    })  # fmt: skip
    automl.train()
    automl.export()
    return automl


@pytest.fixture(scope="module")
def model(automl):
    """What a server makes of it."""
    return Model("tumours", automl.folder / "saved_model")


@pytest.fixture(scope="module")
def addresses(model):
    """Where it is asked: REST, gRPC."""
    with serving(model) as found:
        yield found


@pytest.fixture(scope="module")
def described(automl):
    """serving.json as it was after the first export."""
    return json.loads((automl.folder / "serving.json").read_text("utf-8"))


def ask(addresses, path, request):
    """POST a JSON body."""
    body = json.dumps(request).encode()
    with urllib.request.urlopen(addresses[0] + path, body) as answer:
        return json.load(answer)


def test_the_example_is_answered_as_it_says(addresses, described, automl):
    example = described["example"]
    found = ask(addresses, example["url"], example["request"])
    (row,), (expected,) = found["predictions"], example["response"]["predictions"]
    assert row["prediction"] == expected["prediction"] in described["classes"]
    assert row["probabilities"] == pytest.approx(expected["probabilities"], rel=1e-5)
    frame = pd.DataFrame(example["request"]["instances"], ["s"], described["features"])
    own = automl.predict(frame)
    columns = [f"p_{name}" for name in described["classes"]]
    assert row["probabilities"] == pytest.approx(own[columns].to_numpy()[0], rel=1e-5)
    assert described["version"] == 4 and described["path"] == "saved_model/4"


def test_explanations_come_back_from_disk(automl, model):
    predictor, (dataset, _) = automl._session.model(), automl._session.rows.labelled
    background = automl._session.chosen_rows(predictor, automl.config.explanation).background
    rows = dataset.rows(np.arange(3))
    expected = explainers.explain(predictor, rows, background, "fast_deep_shap")
    found = model.run("explain", {"values": rows.values})
    largest = float(np.abs(expected.values).max())
    assert found["attributions"] == pytest.approx(expected.values, abs=1e-5 * largest)
    assert found["base_values"][0] == pytest.approx(expected.base_values, abs=1e-5)


def test_named_genes_over_rest(addresses, described, automl):
    dataset, _ = automl._session.rows.labelled
    request = {"signature_name": "predict_genes", "inputs": {
        "genes": described["features"][::-1], "values": dataset.values[:5, ::-1].tolist(),
    }}  # fmt: skip
    found = ask(addresses, "/v1/models/tumours/versions/4:predict", request)["outputs"]
    own = automl.predict(pd.DataFrame(dataset.values[:5], columns=described["features"]))
    assert found["prediction"] == list(own["prediction"])


@pytest.mark.parametrize("factor", [1.0, 1e6])
def test_the_client_of_the_guide_asks_for_the_scale_first(
    addresses, described, automl, capsys, factor
):
    text = block(GUIDES["serving.md"], "python", "import urllib")
    text = text.replace("http://localhost:8501/v1/models/quickstart", "{}/v1/models/tumours")
    text = text.replace("{}", addresses[0]).replace("runs/quickstart", str(automl.folder))
    dataset, _ = automl._session.rows.labelled
    own = (factor * dataset.values[:5]).round()
    # Of one library all genes but one are 0: no change of depth, but no expression profile either.
    own[:, 1:] *= factor == 1.0
    names = {"genes": described["features"], "rows": own.tolist()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(text, names)
    assert capsys.readouterr().out.count("class_") == 5
    said = [
        str(one.message) for one in caught if "not on the scale of training" in str(one.message)
    ]
    assert len(said) == (factor != 1.0) and all("counts" in text for text in said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row[1:], "39 columns; expected 40"),
        (lambda row: ["text", *row[1:]], "float"),
        (lambda row: [float("nan"), *row[1:]], "expected a finite number"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(addresses, described, change, said):
    (row,) = described["example"]["request"]["instances"]
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(addresses, described["example"]["url"], {"instances": [change(row)]})
    assert error.value.code == 400 and said in json.load(error.value)["error"]


def test_grpc_answers_the_same(addresses, described, automl):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "tumours", "serving_default"
    values = np.array(described["example"]["request"]["instances"], "float32")
    request.inputs["values"].CopyFrom(tf.make_tensor_proto(values))
    with grpc.insecure_channel(addresses[1]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(request, timeout=30)
        request.inputs["values"].CopyFrom(tf.make_tensor_proto(values[:, 1:]))
        with pytest.raises(grpc.RpcError, match="39 columns; expected 40"):
            stub.Predict(request, timeout=30)
    (expected,) = described["example"]["response"]["predictions"]
    found = tf.make_ndarray(answer.outputs["probabilities"])[0]
    assert found == pytest.approx(expected["probabilities"], rel=1e-5)
    assert tf.make_ndarray(answer.outputs["prediction"])[0].decode() == expected["prediction"]


def test_the_grpc_client_of_the_guide_runs(addresses, automl, capsys):
    text = block(GUIDES["serving.md"], "python", "import grpc")
    text = text.replace("localhost:8500", addresses[1]).replace('"quickstart"', '"tumours"')
    dataset, _ = automl._session.rows.labelled
    exec(text, {"rows": dataset.values[:5]})
    assert capsys.readouterr().out.count("class_") == 5


def test_requests_to_warm_up_with_are_those_of_all_signatures(model, described):
    seen = []
    for record in tf.data.TFRecordDataset(str(model.path / WARM_UP)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        assert request.model_spec.name == "tumours"
        seen.append(request.model_spec.signature_name)
        given = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        assert all(len(part) == 1 for part in model.run(seen[-1], given).values())
    assert sorted(seen) == sorted(described["signatures"])
    assert set(seen) == {
        "serving_default", "serving_float64", "predict_genes", "logits", "explain", "scale",
        "prediction_set",
    }  # fmt: skip


def test_names_and_origin_travel_along(model, automl, described):
    assets = {
        path.stem: json.loads(path.read_text("utf-8"))
        for path in (model.path / "assets").glob("*.json")
    }
    assert assets["features"] == described["features"] == automl._session.model().features
    assert assets["classes"] == described["classes"]
    environment = json.loads((automl.folder / "environment.json").read_text())
    assert assets["about"]["data"] == environment["data"] and environment["data"]
    assert assets["about"]["versions"]["keras"]


def test_signatures_are_described(described):
    assert described["signatures"]["serving_default"] == {
        "inputs": {"values": {"dtype": "float32", "shape": [None, None]}},
        "outputs": {
            "probabilities": {"dtype": "float32", "shape": [None, 3]},
            "prediction": {"dtype": "string", "shape": [None]},
        },
    }


def test_outputs_are_described_in_one_order(described):
    for signature in described["signatures"].values():
        assert list(signature["outputs"]) == sorted(signature["outputs"])


def test_the_scale_of_training_is_described(described):
    scale = described["trained_on"]
    assert scale["kind"] == "counts" and scale["low"] < scale["high"]
    assert described["signatures"]["scale"]["outputs"]["outside"]["shape"] == [None]


def test_versions_only_go_up(automl, tmp_path):
    (automl.folder / "saved_model" / "notes").mkdir(exist_ok=True)
    assert automl.export().name == "5"
    assert json.loads((automl.folder / "serving.json").read_text())["version"] == 5
    for number, expected in (("2", 3), ("10", 11), ("9", 11)):
        (tmp_path / number).mkdir()
        assert next_version(tmp_path, 1) == expected
    assert next_version(tmp_path / "none", 7) == 7


def test_what_fails_leaves_nothing(automl, monkeypatch):
    before = sorted((automl.folder / "saved_model").rglob("*"))
    described = (automl.folder / "serving.json").read_text()
    monkeypatch.setattr("autogenome_tf.export._export.TOLERANCE", -1.0)
    with pytest.raises(StageError, match="the SavedModel's logits differ from the model's"):
        automl.export()
    monkeypatch.undo()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tensorflow.saved_model.save", full)
    with pytest.raises(InputError, match="saved_model: cannot write here: No space left on device"):
        automl.export()
    assert sorted((automl.folder / "saved_model").rglob("*")) == before
    assert (automl.folder / "serving.json").read_text() == described


def test_without_the_protos_all_but_the_warm_up_is_there(automl, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with caplog.at_level(logging.INFO, "autogenome_tf"):
        path = automl.export()
    assert "autogenome_tf[serving]" in caplog.text
    assert (path / "saved_model.pb").is_file() and not (path / WARM_UP).exists()


def test_the_verb_names_the_folder(automl, capsys):
    assert cli.main(["export", str(automl.folder), "--quiet"]) == 0
    path = capsys.readouterr().out.strip()
    assert path.startswith(str(automl.folder / "saved_model")) and path[-1].isdecimal()


# Other programs ----------------------------------------------------------------------------


@pytest.mark.slow
def test_saved_model_cli_runs_it(model, described, tmp_path):
    values = np.array(described["example"]["request"]["instances"], "float32")
    np.save(tmp_path / "rows.npy", values)
    command = [
        sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir",
        str(model.path), "--tag_set", "serve", "--signature_def", "serving_default",
        "--inputs", f"values={tmp_path / 'rows.npy'}", "--outdir", str(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (expected,) = described["example"]["response"]["predictions"]
    found = np.load(tmp_path / "probabilities.npy")[0]
    assert found == pytest.approx(expected["probabilities"], rel=1e-5)


ENGINE = """
import pathlib, sys
import numpy as np
import openvino

folder, core = pathlib.Path(sys.argv[1]), openvino.Core()
values = np.load(folder / "values.npy")
for path in sorted(path for path in folder.iterdir() if path.is_dir()):
    # By itself it computes in bfloat16 where a processor can.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    found = core.compile_model(openvino.convert_model(path), "CPU", exact)(values)
    numbers = {key.any_name: part for key, part in found.items() if part.dtype == np.float32}
    np.savez(folder / f"{path.name}.engine.npz", **numbers)
"""


@pytest.mark.slow
def test_another_engine_answers_the_same(predictors, folder):
    pytest.importorskip("openvino")
    # Otherwise it reports its use to its makers.
    environment = os.environ | {"CI": "true"}
    command = [sys.executable, "-c", ENGINE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    for name in predictors:
        expected, found = alone(folder, name), alone(folder, f"{name}.engine")
        assert found, name
        for output, values in found.items():
            own = expected[f"serving_default {output}"]
            assert values == pytest.approx(own, rel=1e-4, abs=1e-4), (name, output)
