"""The guides are true: their configs are valid, their commands exist, their examples run."""

import ast
import json
import os
import platform
import re
import subprocess

import house
import pytest
from documents import EVERYTHING, GUIDES, ROOT, between, block, blocks, everywhere
from dropped import dropped, folders_alone

import autogenome_tf as ag
from autogenome_tf import cli, families
from autogenome_tf.cli import _schema
from autogenome_tf.config import processes
from autogenome_tf.config._config import Config
from autogenome_tf.core.open_sets import members

ARCHITECTURE, CONFIG = GUIDES["architecture.md"], GUIDES["config.md"]
ADDED = re.findall(
    r"Save this as `autogenome_tf/(\S+)/(\w+)\.py`.*?```python\n(.*?)```", ARCHITECTURE, re.S
)
COMMANDS = [line for text in everywhere("") for line in re.split(r"\n| && ", text)]
# A part of each block of Python, and the test file that runs the block.
RUN_BY = {
    "automl.export()": "whole/test_readme.py",
    "cross_val_score": "whole/test_readme.py",
    "ag.tl.classify": "whole/test_readme.py",
    "urllib.request": "export/test_export.py",
    "import grpc": "export/test_export.py",
    'ag.auto("old.json")': "config/test_autogenome.py",
    "keras_tuner.HyperParameters()": "whole/test_guides.py",
    "shap.DeepExplainer": "explainers/test_attributions.py",
}


def parsed(command):
    """Parse a command line, without its comment."""
    return cli._parser().parse_args(command.split("#")[0].split()[1:])


@pytest.mark.parametrize("text", everywhere("json"))
def test_json_blocks_are_configs(text):
    assert Config.of(json.loads(text)).name in ("tumour-type", "cells", "contigs")


def test_the_defaults_shown_are_the_defaults():
    shown = json.loads(block(CONFIG, "json", '"top_variable"'))
    shown["data"]["features"] = "x.tsv"
    plain = Config.of({"name": "tumour-type", "data": {"features": "x.tsv"}})
    assert Config.of(shown) == plain
    for section, keys in shown.items():
        if section not in ("data", "families", "task") and isinstance(keys, dict):
            assert set(keys) == set(type(getattr(plain, section)).model_fields)


def test_the_reference_is_what_the_schema_says():
    shown = between(CONFIG, "<!-- autogenome-tf schema --table -->", "<!-- end -->")
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


def test_commands_can_be_parsed():
    listed = block(CONFIG, "", "autogenome-tf check CONFIG").splitlines()
    lines = [line for line in COMMANDS if line.startswith("autogenome-tf ") and line not in listed]
    assert len(lines) >= 6
    assert all(parsed(line).verb for line in lines)


def test_the_commands_listed_are_all_and_have_their_options():
    listed = block(CONFIG, "", "autogenome-tf check CONFIG")
    (verbs,) = [
        action.choices for action in cli._parser()._actions if isinstance(action.choices, dict)
    ]
    assert set(re.findall(r"(?:autogenome-tf|\|) (\w+)", listed)) == set(verbs)
    for line in listed.splitlines():
        for verb in re.findall(r"(?:autogenome-tf|\|) (\w+)", line) or ("run", "train"):
            known = {option for action in verbs[verb]._actions for option in action.option_strings}
            assert set(re.findall(r"--[\w-]+", line)) <= known


def test_benchmarks_exist_and_have_their_options():
    lines = re.findall(r"python (tests/benchmarks/\S+\.py)([^\n`]*)", "".join(GUIDES.values()))
    assert len(lines) > 10
    for path, options in lines:
        source = (ROOT / path).read_text("utf-8")
        assert all(f'"{name}"' in source for name in re.findall(r"--[\w-]+", options))


def test_paths_of_the_project_exist():
    """Every file named in a guide, but for those that a reader adds, is there."""
    added = {f"autogenome_tf/{folder}/{name}.py" for folder, name, _ in ADDED}
    for text in EVERYTHING.values():
        named = set(re.findall(r"`((?:autogenome_tf|tests|configs|\.ci)/[\w./]+)`", text)) - added
        assert all((ROOT / path).exists() for path in named)


def test_every_block_of_python_is_run_by_a_test():
    sources = {name: (ROOT / "tests" / name).read_text("utf-8") for name in RUN_BY.values()}
    added = {text for _, _, text in ADDED}
    for text in everywhere("python"):
        ast.parse(text)
        (part, *_) = [part for part in RUN_BY if part in text] or [None]
        assert text in added or "documents" in sources[RUN_BY[part]]


def test_the_map_is_that_of_the_house():
    shown = between(ARCHITECTURE, "<!-- map -->", "<!-- end of map -->")
    assert shown.strip() == house.guide_map().strip()


def test_every_open_set_that_the_guide_names_has_an_example():
    assert {folder for folder, _, _ in ADDED} >= set(house.OPEN.values())


@pytest.mark.parametrize(("folder", "name", "text"), ADDED, ids=[name for _, name, _ in ADDED])
def test_a_file_of_the_guide_is_a_member(folder, name, text):
    assert name not in members(folder)
    with dropped(folder, name, text):
        assert name in members(folder)
        exec(compile(text, f"{name}.py", "exec"), {"__name__": f"example.{name}"})


def test_a_family_in_one_file_builds():
    with dropped("families", "funnel", block(ARCHITECTURE, "python", "A funnel")):
        task = ag.tasks.Classification(["a", "b"])
        model = families.hypermodel("funnel")(30, task).build({"start": 16, "layers": 2})
        widths = [layer.units for layer in model.layers if hasattr(layer, "units")]
        assert widths == [16, 8, 2]


def test_a_family_is_a_hypermodel():
    names = {}
    exec(block(ARCHITECTURE, "python", "keras_tuner.HyperParameters()"), names)
    assert names["model"].output_shape == (None, 2)


def test_the_script_for_slurm_gives_each_task_its_part(tmp_path):
    (tmp_path / "job").write_text(block(GUIDES["many_machines.md"], "bash", "#SBATCH"))
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
    (text,) = blocks(GUIDES["many_machines.md"], "yaml")
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


def test_the_commands_of_many_processes_have_their_roles():
    lines = blocks(GUIDES["many_machines.md"])[0].splitlines()
    assert [parsed(line).role for line in lines] == ["chief", "worker"]
