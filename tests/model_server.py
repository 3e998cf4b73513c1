"""A stand-in for TensorFlow Serving: a session on the highest version, REST and gRPC in front.

It feeds and fetches what the SignatureDefs name, as the real server does, so that what holds a
graph back there (tables to fill, assertions, shapes) holds it back here.
"""

import contextlib
import http.server
import json
import re
import threading
from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class Model(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The highest version in a folder, as TensorFlow Serving takes it.

    Args:
        name: What requests call it.
        folder: Path of the folder of versions.
    """

    def __init__(self, name, folder):
        self.name = name
        numbers = [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
        self.path = folder / str(max(numbers))
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(self._session, ["serve"], str(self.path))
        self._signatures = loaded.signature_def

    def run(self, signature, given):
        """Outputs by name for inputs by name."""
        wanted = self._signatures[signature]
        if set(given) != set(wanted.inputs):
            raise ValueError(f"inputs {sorted(given)}; expected {sorted(wanted.inputs)}")
        feeds = {wanted.inputs[name].name: value for name, value in given.items()}
        fetches = {name: spec.name for name, spec in wanted.outputs.items()}
        return self._session.run(fetches, feeds)

    def rest(self, path, body):
        """The answer to a POST, a dict, in the row or the column form of the request."""
        if not re.fullmatch(rf"/v1/models/{re.escape(self.name)}(/versions/\d+)?:predict", path):
            raise ValueError(f"no model at {path}")
        asked = json.loads(body)
        signature = asked.get("signature_name", "serving_default")
        kinds = {n: s.dtype for n, s in self._signatures[signature].inputs.items()}
        if "inputs" in asked:
            given = asked["inputs"] if len(kinds) > 1 else {next(iter(kinds)): asked["inputs"]}
        else:
            given = {next(iter(kinds)): asked["instances"]}
        arrays = {name: self._array(kinds[name], value) for name, value in given.items()}
        found = {name: _listed(part) for name, part in self.run(signature, arrays).items()}
        if "inputs" in asked:
            return {"outputs": found if len(found) > 1 else next(iter(found.values()))}
        if len({len(part) for part in found.values()}) > 1:
            raise ValueError("outputs of different numbers of rows")
        rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
        alone = len(found) == 1
        return {"predictions": [next(iter(r.values())) for r in rows] if alone else rows}

    @staticmethod
    def _array(kind, value):
        if kind == tf.string.as_datatype_enum:
            return np.array(value, object)
        array = np.array(value)
        if array.dtype.kind not in "fiu":
            raise ValueError("JSON value is not of the expected type: float")
        return array.astype(tf.as_dtype(kind).as_numpy_dtype)

    def Predict(self, request, context):  # noqa: N802 (the name in the protocol)
        """The answer to a gRPC PredictRequest."""
        given = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        try:
            found = self.run(request.model_spec.signature_name or "serving_default", given)
        except (tf.errors.OpError, ValueError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        answer = predict_pb2.PredictResponse()
        for name, part in found.items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(part))
        return answer


@contextlib.contextmanager
def serving(model):
    """Serve a `Model` on free ports of this machine; yields (REST address, gRPC address)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802 (the name in the library)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status, answer = 200, model.rest(self.path, body)
            except (tf.errors.OpError, ValueError, KeyError) as error:
                status, answer = 400, {"error": str(error)}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    calls = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(model, calls)
    port = calls.add_insecure_port("127.0.0.1:0")
    calls.start()
    try:
        yield f"http://127.0.0.1:{web.server_port}", f"127.0.0.1:{port}"
    finally:
        web.shutdown()
        web.server_close()
        calls.stop(None)


def _listed(part):
    return [one.decode() for one in part] if part.dtype == object else part.tolist()
