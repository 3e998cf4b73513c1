"""A run folder from a stranger: no code of it runs, and nothing is written outside of it."""

import io
import json
import os
import pickle
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.trust import FOREIGN, check_model

pytestmark = pytest.mark.usefixtures("few_learners")

STAGES = ("evaluate", "predict", "explain", "export", "report")


@pytest.fixture(scope="module")
def whole(simulated, tmp_path_factory):
    """A finished run and its data, to be moved together."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(simulated, home / "data")
    config = json.loads((home / "data" / "config.json").read_text())
    config |= {"families": {"mlp": {"layers": 1, "units": 8}}, "output": {"figures": False}}
    config |= {"search": {"max_trials": 1, "epochs": 2, "folds": 2}, "training": {"epochs": 2}}
    config |= {"explanation": {"samples": 3, "background": 5, "top": 3}, "output_dir": "../runs"}
    (home / "data" / "config.json").write_text(json.dumps(config))
    automl = ag.AutoGenome(str(home / "data" / "config.json"))
    automl.run()
    return automl.folder


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to be tampered with."""
    shutil.copytree(whole.parents[1], tmp_path / "home")
    return tmp_path / "home" / "runs" / whole.name


def change(path, key, value):
    """Set a key of a JSON file; a dot leads into a section."""
    content = json.loads(path.read_text())
    section, _, last = key.rpartition(".")
    (content[section] if section else content)[last] = value
    path.write_text(json.dumps(content))


def refused(folder, stages=STAGES):
    """What the error of each stage says; loading it may be one already."""
    said = set()
    for stage in stages:
        with pytest.raises(InputError) as error:
            getattr(ag.load(folder), stage)()
        said.add(str(error.value))
    return said


def test_the_untouched_copy_goes_through_all_stages(folder):
    automl = ag.load(folder)
    for stage in STAGES:
        getattr(automl, stage)()


# Code ---------------------------------------------------------------------------------------


def with_model(folder, change):
    """Put another architecture into model.keras."""
    with zipfile.ZipFile(folder / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def first_dense(config):
    """The description of some layer inside a description of a model."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and part.get("class_name") == "Dense":
            return part
        if isinstance(part, (dict, list)):
            waiting += part.values() if isinstance(part, dict) else part


HOSTILE = {
    "a lambda": {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "a"}},
    "a saved model": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {}},
    "a module of Python": {"module": "os", "class_name": "system", "config": "touch owned"},
    "a private part of Keras": {
        "module": "keras.src.utils.torch_utils", "class_name": "TorchModuleWrapper", "config": {},
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_model_with_code_is_refused(folder, kind, monkeypatch):
    monkeypatch.chdir(folder)
    with_model(folder, lambda config: first_dense(config).update(HOSTILE[kind]))
    said = refused(folder, STAGES[:4])
    assert any("not a model of this package" in one for one in said) and len(said) == 1
    assert not (folder / "owned").exists()


def test_a_real_lambda_is_refused_before_keras_sees_it(folder):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x + 1)])
    names = zipfile.ZipFile(folder / "model.keras").read("autogenome_tf.json")
    model.save(folder / "model.keras")
    with zipfile.ZipFile(folder / "model.keras", "a") as archive:
        archive.writestr("autogenome_tf.json", names)
    (said,) = refused(folder, ["evaluate"])
    assert "Lambda: expected built-in Keras layers only" in said


def with_weights(folder, change):
    """Put another HDF5 file into model.keras."""
    with zipfile.ZipFile(folder / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["model.weights.h5"] = change(members["model.weights.h5"])
    with zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def bomb(weights):
    """Beside what is there a tebibyte of zeros, in some thousand bytes."""
    file = io.BytesIO(weights)
    with h5py.File(file, "r+") as opened:
        opened.create_dataset("more", (1 << 38,), "f4", chunks=(1 << 28,), compression="gzip")
    return file.getvalue()


@pytest.mark.parametrize("change", [lambda weights: weights[: len(weights) // 2], bomb])
def test_weights_are_looked_through_by_another_process_first(folder, monkeypatch, change):
    with_weights(folder, change)
    monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: pytest.fail("was opened"))
    (said,) = refused(folder, ["predict"])
    assert "model.keras" in said and ("damaged" in said or "HDF5" in said or "unpacks" in said)


def test_every_model_of_this_package_is_of_plain_layers(whole):
    assert check_model(whole / "model.keras") is None
    assert "Dense" not in FOREIGN


class Owned:
    """Code that a pickle would run."""

    def __reduce__(self):
        return os.mkdir, ("owned",)


def test_pickles_are_not_opened(folder, monkeypatch):
    monkeypatch.chdir(folder)
    objects = np.array([Owned()], object)
    np.savez(folder / "validation.npz", samples=objects, outputs=objects)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        ag.load(folder).evaluate()
    (folder / "model.keras").write_bytes(pickle.dumps(Owned()))
    refused(folder, ["predict"])
    assert not (folder / "owned").exists()


# Paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [".lock", "log.txt", ".partial.metrics.json", "plots", "search", "model.keras"]
)
def test_links_out_of_the_folder_are_refused(folder, tmp_path, name):
    outside = tmp_path / "outside"
    (outside.mkdir if name in ("plots", "search") else outside.touch)()
    if (folder / name).is_dir():
        shutil.rmtree(folder / name)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(outside)
    (said,) = refused(folder)
    assert "symbolic links out of the folder" in said and name in said
    assert outside.is_dir() or outside.read_bytes() == b""


def test_links_inside_the_folder_are_followed(folder):
    (folder / "model.keras").rename(folder / "kept.keras")
    (folder / "model.keras").symlink_to("kept.keras")
    assert ag.load(folder).evaluate()


@pytest.mark.parametrize("key", ["data.features", "data.targets", "data.evaluate"])
def test_a_file_that_the_run_was_not_trained_on_is_not_read_aloud(folder, tmp_path, key):
    secret = tmp_path / "secret.tsv"
    secret.write_text("user\tpassword\nroot\thunter2\nguest\t1234\n")
    change(folder / "config.json", key, str(secret))
    for said in refused(folder, ["evaluate", "predict", "explain"]):
        assert "not the file that" in said and "hunter2" not in said and "password" not in said


def test_changed_data_is_noticed(folder):
    targets = folder.parents[1] / "data" / "targets.tsv"
    targets.write_text(targets.read_text().replace("class_1", "class_2", 1))
    (said,) = refused(folder, ["evaluate"])
    assert str(targets) in said and "run the config again" in said


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", 8), ("data.split", {"test": 0.4}), ("search.folds", 3), ("data.target", "batch")],
)
def test_rows_that_trained_the_model_do_not_pass_for_held_out_ones(folder, key, value):
    change(folder / "config.json", key, value)
    for said in refused(folder, ["evaluate", "predict", "explain", "export"]):
        assert "split.tsv: the run was trained with this split" in said


def test_a_changed_split_is_noticed(folder):
    path = folder / "split.tsv"
    whole = path.read_text()
    for changed in (whole.replace("test", "train", 1), whole[: whole.rindex("S0")]):
        path.write_text(changed)
        (said,) = refused(folder, ["evaluate"])
        assert "1 of 60 samples" in said and "config under another name" in said
    path.unlink()
    assert ag.load(folder).evaluate()


@pytest.mark.parametrize("output", ["/", "../../../outside", "~"])
def test_whatever_output_dir_says_results_stay_in_the_folder(folder, tmp_path, output):
    change(folder / "config.json", "output_dir", output)
    before = {path for path in tmp_path.rglob("*") if folder not in path.parents}
    automl = ag.load(folder)
    for stage in ("evaluate", "report"):
        getattr(automl, stage)()
    assert {path for path in tmp_path.rglob("*") if folder not in path.parents} == before


def test_a_name_that_leads_elsewhere_is_refused(folder):
    change(folder / "config.json", "name", "../../outside")
    (said,) = refused(folder)
    assert "name" in said


# What a run says of itself -------------------------------------------------------------------


@pytest.mark.parametrize("content", ["[]", "{", '{"stages": ["train"]}', "null", '"train"', "{}"])
def test_an_odd_environment_is_one_clear_error(folder, content):
    (folder / "environment.json").write_text(content)
    assert all("environment.json" in said for said in refused(folder))


@pytest.mark.parametrize("key", ["versions", "seed", "began", "data", "asked", "stages", "times"])
def test_odd_parts_of_an_environment_are_one_clear_error(folder, key):
    change(folder / "environment.json", key, None)
    assert all(f"{key}: received None; expected" in said for said in refused(folder))
