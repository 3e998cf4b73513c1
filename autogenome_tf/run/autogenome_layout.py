"""Results once more under AutoGenome's names, for scripts that expect them there.

In `output_dir`, beside the run: models/<name>/<MMDD_HHMMSS>/ and output_files/ likewise.
Classes are numbered in the order of the model's outputs, as the original did.
"""

import datetime
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from autogenome_tf.core.files import replacing, safe_names
from autogenome_tf.run._run import Run

TYPES = {"mlp": "MLP", "resnet": "ResNet", "densenet": "DenseNet", "wired": "enas"}
SUMMARY = "feature_importance_summary.pdf"


def follow(run: Run, stage: str) -> None:
    """Copy the files of a finished stage into the original's layout.

    Args:
        run: The run.
        stage: Its name.
    """
    write = {
        "train": _model, "evaluate": _evaluation, "predict": _predictions, "explain": _importance,
    }.get(stage)  # fmt: skip
    if write:
        write(run)


def folder(run: Run, kind: str) -> Path:
    """Return the original's folder of a run.

    Args:
        run: A run.
        kind: "models" or "output_files".
    """
    began = datetime.datetime.fromisoformat(run.environment["began"])
    return run.folder.parent / kind / run.config().name / began.strftime("%m%d_%H%M%S")


def _model(run):
    _copy(run, "model.keras", "models", "best_model.keras")


def _evaluation(run):
    _copy(run, "confusion_matrix.pdf", "output_files", f"{_type(run)}_confusion_matrix.pdf")


def _predictions(run):
    if run.has("latent.tsv"):
        for name, target in (("latent.tsv", "latent_vector"), ("reconstruction.tsv.gz", "recon_x")):
            if not run.has(name):
                continue
            values = _asked(run.read_table(name)).drop(columns=["sample", "part"])
            _table(run, f"res_vae_predicted_{target}_data_frame.csv", values)
        return
    frame = _asked(run.predictions())
    classes = [name for name in frame if name.startswith("p_")]
    shown = [name for name in frame if name.startswith("prediction")]
    table = frame[shown].rename(columns={"prediction": "predicted_result"})
    if classes:
        table["softmax_value"] = [json.dumps(row) for row in frame[classes].to_numpy().tolist()]
    _table(run, f"{_type(run)}_predicted_result_data_frame.csv", table)


def _asked(frame):
    """Return the rows of `data.predict`, or all where there are none."""
    asked = frame[frame["part"] == "predict"]
    return asked if len(asked) else frame


def _importance(run):
    arrays = run.read_arrays("attributions.npz")
    orders = {}
    for number, safe in enumerate(safe_names(arrays["outputs"])):
        values = arrays["values"][:, :, number]
        table = pd.DataFrame(values, columns=arrays["features"])
        _table(run, f"_class_{number}shap_values.csv", table)
        order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")
        orders[f"class_{number}"] = arrays["features"][order]
        for kind, target in (("dot", f"_dot{number}_"), ("bar", f"class_{number}")):
            picture = f"plots/importance_{kind}_{safe}.pdf"
            _copy(run, picture, "output_files", f"{target}{SUMMARY}")
    _table(run, "_features_orders.csv", pd.DataFrame(orders))
    _copy(run, "plots/importance_total.pdf", "output_files", f"_barTotal_{SUMMARY}")


def _type(run):
    """Return the original's name for the family of the final model, not of the baseline."""
    asked = run.config().families
    board = run.read_table("leaderboard.tsv")["family"]
    family = board[board.isin(asked)].iloc[0]
    return TYPES.get(family, family)


def _copy(run, name, kind, target):
    """Copy a file of the run; figures may not have been drawn."""
    if not run.has(name):
        return
    with replacing(folder(run, kind) / target) as path:
        shutil.copyfile(run.path(name), path)


def _table(run, name, frame):
    with replacing(folder(run, "output_files") / name) as path:
        frame.to_csv(path, index=False)
