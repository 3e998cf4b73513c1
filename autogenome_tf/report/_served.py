"""Models exported for TensorFlow Serving."""

from autogenome_tf.report._page import Section, Table, listed
from autogenome_tf.run import Run


def section(run: Run) -> Section | None:
    """Return the versions on disk and the signatures of the newest."""
    if not run.has("serving.json"):
        return None
    served = run.read_json("serving.json")
    folders = run.path("saved_model").glob("*")
    versions = sorted(int(one.name) for one in folders if one.name.isdecimal())
    held = f"version {listed(versions)}" if versions else "no version any more"
    rows = [
        [name, listed(signature["inputs"]), listed(signature["outputs"])]
        for name, signature in served["signatures"].items()
    ]
    text = (
        f"saved_model/ holds {held} for TensorFlow Serving. Requests contain "
        "raw values, as in the matrix. serving.json gives the order of genes and classes, types "
        "and shapes, and an example request with its expected response."
    )
    table = Table(["signature", "inputs", "outputs"], rows, left=(0, 1, 2))
    return Section("serving", "Serving", [text, table])
