"""What the deliverable promises: raw values in, the same outputs wherever it is loaded."""

import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
import scipy.special

from autogenome_tf import families
from autogenome_tf.core.chunked import BLOCK
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.files import MODEL_NAMES
from autogenome_tf.data import Dataset
from autogenome_tf.models import Predictor
from autogenome_tf.preprocessing import FittedScaling, Moments, Transform
from autogenome_tf.tasks import Classification, Regression

GENES = [f"gene_{i}" for i in range(5)]
SAMPLES = [f"s{i}" for i in range(30)]
VALUES = np.random.default_rng(0).poisson(5, (30, 5)).astype("float32")
TASKS = {
    "classification": Classification(["healthy", "tumour", "cell line"]),
    "regression": Regression(["height", "rate"], "mse", np.array([10.0, -3]), np.array([2, 0.5])),
}


def predictor_of(kind, temperature=1.0, name="mlp", missing="median"):
    """A predictor with random weights on counts."""
    task = TASKS[kind]
    transform = Transform("library_log1p")
    rows = np.asarray(transform(VALUES))
    moments = Moments.of([rows]).with_median(rows)
    constants = FittedScaling.of(moments, "standard", missing, moments.most_variable(4))
    network = families.hypermodel(name)(4, task).network({"layers": 1, "units": 8})
    return Predictor.assemble([(transform, constants, network)], task, GENES, missing, temperature)


@pytest.fixture(scope="module", params=TASKS)
def predictor(request):
    """A predictor of each kind."""
    return predictor_of(request.param)


@pytest.fixture(scope="module")
def path(predictor, tmp_path_factory):
    """The same, saved."""
    path = tmp_path_factory.mktemp("model") / "model.keras"
    predictor.save(path)
    return path


# Assembly ----------------------------------------------------------------------------------


def test_outputs_are_the_network_behind_the_preprocessing(predictor):
    front, network = (predictor.model.get_layer(n) for n in ("preprocessing", "network"))
    raw = network.predict_on_batch(front.predict_on_batch(VALUES))
    scale, offset = predictor.task.output_scale()
    np.testing.assert_allclose(predictor.outputs(VALUES), raw * scale + offset, rtol=1e-5)
    assert [layer.name for layer in predictor.model.layers][1:] == [
        "preprocessing", "network", "output",
    ]  # fmt: skip


def test_a_temperature_divides_the_logits():
    once, thrice = (predictor_of("classification", t).outputs(VALUES) for t in (1.0, 3.0))
    np.testing.assert_allclose(3 * thrice, once, rtol=1e-5, atol=1e-6)


def test_a_network_that_says_nothing_predicts_the_mean_in_original_units():
    predictor = predictor_of("regression")
    network = predictor.model.get_layer("network")
    network.set_weights([0 * weight for weight in network.get_weights()])
    np.testing.assert_array_equal(predictor.outputs(VALUES), np.tile([10, -3], (30, 1)))


def test_sparse_and_dense_input_agree_over_several_batches(predictor):
    values = np.tile(VALUES, (BLOCK // 30 + 2, 1))
    assert len(values) > BLOCK
    found = predictor.outputs(scipy.sparse.csr_matrix(values))
    np.testing.assert_array_equal(found, predictor.outputs(values))
    np.testing.assert_allclose(found[-30:], predictor.outputs(VALUES), rtol=1e-5, atol=1e-6)


def test_a_row_is_predicted_the_same_alone_and_in_company(predictor):
    alone = np.concatenate([predictor.outputs(VALUES[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, predictor.outputs(VALUES)[:5], rtol=1e-5, atol=1e-6)


def test_no_rows_give_no_outputs(predictor):
    assert predictor.outputs(VALUES[:0]).shape == (0, predictor.task.outputs)


def test_the_frame_has_a_row_a_sample_in_order(predictor):
    frame = predictor.predict(Dataset(VALUES, np.array(SAMPLES), GENES))
    assert list(frame["sample"]) == SAMPLES
    outputs = predictor.outputs(VALUES)
    if predictor.task.type == "classification":
        chances = scipy.special.softmax(outputs.astype("float64"), axis=1)
        np.testing.assert_allclose(frame[["p_healthy", "p_tumour", "p_cell line"]], chances)
        assert list(frame["prediction"]) == [predictor.task.classes[i] for i in outputs.argmax(1)]
    else:
        np.testing.assert_array_equal(frame[["prediction_height", "prediction_rate"]], outputs)


# Files -------------------------------------------------------------------------------------


def test_a_saved_predictor_comes_back_the_same(predictor, path):
    loaded = Predictor.load(path)
    np.testing.assert_array_equal(loaded.outputs(VALUES), predictor.outputs(VALUES))
    assert (loaded.features, loaded.missing) == (GENES, "median")
    assert loaded.task.type == predictor.task.type
    assert loaded.task.output_names == predictor.task.output_names
    if predictor.task.type == "regression":
        targets = np.random.default_rng(0).normal(size=(4, 2))
        np.testing.assert_array_equal(loaded.task.encode(targets), predictor.task.encode(targets))


def test_saving_what_was_loaded_changes_nothing(predictor, path, tmp_path):
    again = tmp_path / "again.keras"
    Predictor.load(path).save(again)
    np.testing.assert_array_equal(Predictor.load(again).outputs(VALUES), predictor.outputs(VALUES))
    with zipfile.ZipFile(again) as archive:
        assert archive.namelist().count(MODEL_NAMES) == 1


def test_saving_replaces_the_file_and_leaves_nothing_else(predictor, tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("an older model")
    predictor.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    assert zipfile.is_zipfile(path)


def test_names_travel_inside_the_archive(predictor, path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = json.loads(archive.read("autogenome_tf.json"))
    assert names["features"] == GENES and names["missing"] == "median"
    assert names["task"] == predictor.task.type
    assert names.get("classes", names.get("targets")) == predictor.task.output_names


ELSEWHERE = """
import sys
import keras
import numpy as np
values = np.load("values.npy")
for kind in sys.argv[1:]:
    np.save(kind, keras.models.load_model(f"{kind}.keras").predict_on_batch(values))
print([name for name in sys.modules if name.startswith("autogenome_tf")])
"""


@pytest.mark.slow
def test_keras_alone_loads_the_models_in_another_process(tmp_path):
    np.save(tmp_path / "values.npy", VALUES)
    predictors = {kind: predictor_of(kind) for kind in TASKS}
    for kind, predictor in predictors.items():
        predictor.save(tmp_path / f"{kind}.keras")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *TASKS],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    for kind, predictor in predictors.items():
        found, expected = np.load(tmp_path / f"{kind}.npy"), predictor.outputs(VALUES)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


# Files that are something else --------------------------------------------------------------


def refused(path):
    """The one error that a wrong file is answered with."""
    with pytest.raises(InputError) as caught:
        Predictor.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def rewritten(source, path, change):
    """A copy of an archive whose members a function changes; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


def test_an_absent_model_says_what_comes_first(tmp_path):
    assert "run the train stage first" in refused(tmp_path / "model.keras")
    assert "run the train stage first" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    assert "not a model of this package" in refused(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_model_is_refused(path, tmp_path, kept):
    content = path.read_bytes()
    short = tmp_path / "model.keras"
    short.write_bytes(content[: int(kept * len(content))])
    assert "not a model of this package" in refused(short)


def test_a_foreign_keras_model_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save(path)
    assert MODEL_NAMES in refused(path)


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5", MODEL_NAMES])
def test_a_model_that_lacks_a_member_is_refused(path, tmp_path, member):
    def without(name, content):
        return None if name == member else content

    refused(rewritten(path, tmp_path / "model.keras", without))


@pytest.mark.parametrize("names", ["", "{", "{}", "[]", '{"task": "classification"}'])
def test_damaged_names_are_refused(path, tmp_path, names):
    def damaged(name, content):
        return names if name == MODEL_NAMES else content

    refused(rewritten(path, tmp_path / "model.keras", damaged))


def test_a_layer_that_nobody_knows_is_refused(path, tmp_path):
    def strange(name, content):
        return content.replace(b'"Rescaling"', b'"Strange"') if name == "config.json" else content

    refused(rewritten(path, tmp_path / "model.keras", strange))


def test_damaged_weights_are_refused(path, tmp_path):
    def damaged(name, content):
        return content[: len(content) // 2] if name == "model.weights.h5" else content

    refused(rewritten(path, tmp_path / "model.keras", damaged))
