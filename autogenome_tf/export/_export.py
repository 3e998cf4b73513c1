"""A fitted model written for TensorFlow Serving, and serving.json for its clients."""

import contextlib
import dataclasses
import json
import logging
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from autogenome_tf import explainers
from autogenome_tf.config import Config
from autogenome_tf.core.chunked import Matrix, batches
from autogenome_tf.core.errors import InputError, StageError, cannot_write
from autogenome_tf.core.files import replacing_folder
from autogenome_tf.data import Dataset
from autogenome_tf.export._graph import Served, answer
from autogenome_tf.models import Predictor
from autogenome_tf.run import Run

log = logging.getLogger(__name__)

WARM_UP = "assets.extra/tf_serving_warmup_requests"
# Fraction of the largest output by which a graph may differ from the model it was made of.
TOLERANCE = 1e-5


def export(
    run: Run, config: Config, predictor: Predictor, background: Matrix, rows: Dataset
) -> Path:
    """Write the next version of a run's SavedModel, and serving.json.

    Args:
        run: The `Run`.
        config: Its `Config`.
        predictor: Its `Predictor` or `LatentModel`.
        background: (rows, genes) raw rows that explanations refer to.
        rows: A `Dataset` of rows to try it on; the first is the example request.

    Returns:
        Path of the version's folder.

    Raises:
        InputError: Where the folder cannot be written.
        StageError: Where the SavedModel does not answer as the model does.
    """
    folder = run.path("saved_model")
    number = next_version(folder, config.export.version)
    # An example is JSON, which has no NaN.
    example = np.nan_to_num(next(batches(rows.values, 1)))
    names, values = predictor.labels, next(predictor.checked(rows))
    with _writing(folder), replacing_folder(folder / str(number)) as path:
        _save(path, run, predictor, background, names)
        signatures = tf.saved_model.load(str(path)).signatures
        _compare(signatures, predictor, values)
        requests = {name: _request(predictor, name, example) for name in signatures}
        _write_warm_up(path / WARM_UP, config.name, requests)
    answered = signatures["serving_default"](**requests["serving_default"])
    run.write_json("serving.json", {
        "name": config.name,
        "version": number,
        "path": f"saved_model/{number}",
        "task": predictor.task.type,
        "missing": predictor.missing,
        "trained_on": predictor.trained_on and dataclasses.asdict(predictor.trained_on.scale),
        "signatures": {name: _described(one) for name, one in signatures.items()},
        "example": {
            "url": f"/v1/models/{config.name}:predict",
            "request": {"signature_name": "serving_default", "instances": _listed(example)},
            "response": {"predictions": _by_row(answered)},
        },
        **names,
    })  # fmt: skip
    log.info("version %d for TensorFlow Serving: %s", number, ", ".join(signatures))
    return folder / str(number)


@contextlib.contextmanager
def _writing(folder):
    """Name the folder in errors of the disk."""
    try:
        yield
    except (OSError, tf.errors.PermissionDeniedError, tf.errors.ResourceExhaustedError) as error:
        raise cannot_write(folder, error) from None


def next_version(folder: Path, first: int) -> int:
    """Return one above the highest version in a folder, or the first."""
    there = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    return max(there) + 1 if there else first


def _save(path, run, predictor, background, names):
    """Write the graph with its weights and assets."""
    parts, base = None, None
    try:
        parts = explainers.in_graph(predictor, background)
        base = tf.constant(predictor.outputs(background).mean(axis=0))
    except InputError as error:
        log.info("the signature explain is not exported: %s", error)
    environment = run.environment
    about = {"about": {key: environment[key] for key in ("versions", "seed", "data")}}
    with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder:
        for name, content in (about | names).items():
            Path(folder, f"{name}.json").write_text(json.dumps(content, indent=2), "utf-8")
        served = Served(predictor, parts, base, sorted(Path(folder).iterdir()))
        with _silent(tf.get_logger()):
            tf.saved_model.save(served, str(path), signatures=served.signatures())


@contextlib.contextmanager
def _silent(logger):
    """Silence a logger but for errors: the folder it names is a temporary one."""
    kept = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(kept)


def _compare(signatures, predictor, values):
    """Refuse a graph that does not answer as its model does."""
    outputs = predictor.model(values, training=False)
    # Logits and latent means before what is made of them.
    for signature in sorted(predictor.answers):
        found = signatures[signature](values=tf.constant(values))
        for name, expected in answer(predictor, signature, outputs).items():
            if expected.dtype != tf.string:
                _compare_numbers(name, found[name].numpy(), expected.numpy())


def _compare_numbers(name, found, expected):
    wrong, largest = np.abs(found - expected).max(), np.abs(expected).max()
    if not wrong <= TOLERANCE * max(largest, 1.0):
        raise StageError(
            f"export: the SavedModel's {name} differ from the model's by up to {wrong:.3g} "
            f"of {largest:.3g}."
        )


def _request(predictor, signature, values):
    """Return the inputs of a signature for some rows, by name."""
    if signature in ("predict_genes", "scale"):
        return {"genes": tf.constant(predictor.features), "values": tf.constant(values)}
    kind = tf.float64 if signature == "serving_float64" else tf.float32
    return {"values": tf.constant(values, kind)}


def _write_warm_up(path, name, requests):
    """Write a request of each signature, which the server runs before it takes any."""
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError:
        log.info(
            "warm-up requests, which are optional, are not written; they need: "
            "pip install 'autogenome_tf[serving]'"
        )
        return
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = name, signature
            for key, value in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            logged = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=logged)
            writer.write(record.SerializeToString())


def _described(signature):
    """Return types and shapes of inputs and outputs; None is any number of rows or genes."""
    _, inputs = signature.structured_input_signature
    return {
        kind: {
            name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
            for name, spec in sorted(specs.items())
        }
        for kind, specs in (("inputs", inputs), ("outputs", signature.structured_outputs))
    }


def _by_row(answered):
    """Return an object a row, or the value alone if it has one, as REST answers."""
    columns = {name: _listed(part.numpy()) for name, part in answered.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [next(iter(row.values())) for row in rows] if len(columns) == 1 else rows


def _listed(values):
    """Return an array as lists; floats in the fewest digits that lead back to them."""
    if values.dtype == object:
        return [value.decode() for value in values]
    return np.vectorize(lambda x: float(str(x)), otypes=[float])(values).tolist()
