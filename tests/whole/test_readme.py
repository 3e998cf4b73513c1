"""The README says what is true: its examples run, its configs are the schema's, its names exist."""

import json
import os
import platform
import re
import subprocess
from pathlib import Path

import pytest
from dropped import dropped, folders_alone

import autogenome_tf as ag
from autogenome_tf import cli, families
from autogenome_tf.cli import _schema
from autogenome_tf.config import processes
from autogenome_tf.config._config import Config

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
QUICK = {"max_trials": 1, "epochs": 1}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


@pytest.mark.parametrize("text", blocks("json"))
def test_json_blocks_are_configs(text):
    assert Config.of(json.loads(text)).name == "tumour-type"


def test_the_defaults_shown_are_the_defaults():
    (text,) = [text for text in blocks("json") if '"top_variable"' in text]
    shown = json.loads(text)
    shown["data"]["features"] = "x.tsv"
    plain = Config.of({"name": "tumour-type", "data": {"features": "x.tsv"}})
    assert Config.of(shown) == plain
    for section, keys in shown.items():
        if section not in ("data", "families", "task") and isinstance(keys, dict):
            assert set(keys) == set(type(getattr(plain, section)).model_fields)


def test_the_reference_is_what_the_schema_says():
    (shown,) = re.findall(r"<!-- autogenome-tf schema --table -->\n(.*?)\n<!--", README, re.S)
    with folders_alone():
        assert shown == _schema.table()


def test_every_key_says_what_it_is():
    keys, hypers = (
        {line.split("|")[1].strip(" .`"): line.split("|") for line in part.splitlines()[2:]}
        for part in _schema.table().split("\n\n")
    )
    assert {"data.split.group", "search.enas.units", "training.decay.after", "families"} <= set(
        keys
    )
    assert all(values.strip() and text.strip() for _, _, values, _, text, _ in keys.values())
    named = {name for family in families.names() for name in families.member(family).space}
    assert {re.sub(r"_\d+$", "_1", name) for name in named} == set(hypers)


def test_the_python_session_runs(tmp_path, monkeypatch, quick_config):
    monkeypatch.chdir(tmp_path)
    (session,) = [text for text in blocks("python") if "automl.export()" in text]
    session = session.replace("configs/quickstart.json", str(quick_config))
    session = session.replace("runs/quickstart", str(tmp_path / "runs" / "quick"))
    names = {}
    exec(session, names)
    assert names["later"].predict().equals(names["automl"].predict())


def test_the_script_for_slurm_gives_each_task_its_part(tmp_path):
    (script,) = [text for text in blocks("bash") if "#SBATCH" in text]
    (tmp_path / "job").write_text(script)
    (tmp_path / "autogenome-tf").write_text('#!/bin/sh\necho "$@"; env | grep KERASTUNER_ | sort\n')
    (tmp_path / "autogenome-tf").chmod(0o755)
    said = []
    for task in "03":
        known = {"SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_JOB_ID": "61000"}
        path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "job"], cwd=tmp_path, env=path | known, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        command, *pairs = done.stdout.splitlines()
        assert cli._parser().parse_args(command.split()).verb is cli.run
        said.append(dict(pair.split("=") for pair in pairs))
    chief, worker = said
    assert set(chief) == set(worker) == {processes.TUNER, processes.HOST, processes.PORT}
    assert (chief[processes.TUNER], chief[processes.HOST]) == ("chief", "0.0.0.0")
    assert (worker[processes.TUNER], worker[processes.HOST]) == ("task-3", platform.node())
    assert chief[processes.PORT] == worker[processes.PORT] == "21000"


def test_the_kubernetes_manifest_gives_each_pod_its_part():
    yaml = pytest.importorskip("yaml")
    (text,) = blocks("yaml")
    service, *jobs = yaml.safe_load_all(text)
    (port,) = service["spec"]["ports"]
    found = {}
    for job in jobs:
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert cli._parser().parse_args(container["command"][1:]).verb is cli.run
        (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
        assert mount["name"] == volume["name"]
        found[container["name"]] = {one["name"]: one.get("value") for one in container["env"]}
        assert set(found[container["name"]]) == {processes.TUNER, processes.HOST, processes.PORT}
    assert found["chief"][processes.TUNER] == "chief" and found["worker"][processes.TUNER] is None
    assert found["worker"][processes.HOST] == service["metadata"]["name"]
    assert {known[processes.PORT] for known in found.values()} == {str(port["port"])}
    labels = jobs[0]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    # A pod is named like its job, and who has chief in its name is the chief.
    assert "chief" not in jobs[1]["metadata"]["name"]


def test_the_commands_of_many_processes_are_commands():
    lines = re.findall(r"^autogenome-tf (run .*--role .*?) *#", README, flags=re.M)
    parts = [cli._parser().parse_args(line.split()) for line in lines]
    assert [part.role for part in parts] == ["chief", "worker"]


def test_a_family_in_one_file_is_a_member():
    (text,) = [text for text in blocks("python") if "A funnel" in text]
    with dropped("families", "funnel", text):
        assert "funnel" in families.names()
        task = ag.tasks.Classification(["a", "b"])
        model = families.hypermodel("funnel")(30, task).build({"start": 16, "layers": 2})
        widths = [layer.units for layer in model.layers if hasattr(layer, "units")]
        assert widths == [16, 8, 2]


def test_the_bare_family_example_builds():
    (text,) = [text for text in blocks("python") if "keras_tuner.HyperParameters()" in text]
    names = {}
    exec(text, names)
    assert names["model"].output_shape == (None, 2)


@pytest.fixture
def quick_config(tmp_path):
    pytest.importorskip("scanpy", reason="the example's data ships inside scanpy")
    config = {
        "name": "quick",
        "data": {"features": "scanpy:pbmc68k_reduced", "target": "bulk_labels"},
        "families": {"mlp": {"layers": 1, "units": 8}},
        "search": QUICK,
        "training": {"epochs": 1},
        "explanation": {"samples": 3, "background": 5},
    }
    path = tmp_path / "quick.json"
    path.write_text(json.dumps(config))
    return path
