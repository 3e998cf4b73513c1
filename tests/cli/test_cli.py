"""What the command line promises: verbs, exit statuses, and one clear line for every bad input."""

import gzip
import hashlib
import io
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow
import pytest
import rich.console
from forked import Command

from autogenome_tf import __version__, cli
from autogenome_tf.run._run import Run

pytestmark = pytest.mark.usefixtures("few_learners")

ROOT = Path(cli.__file__).parents[2]
VERBS = ("run", "train", "check", "evaluate", "predict", "simulate")
FAST = ["families={linear: {l2: 0.1}, mlp: {layers: 1, units: 4}}", "search.max_trials=2",
        "search.epochs=2", "search.folds=2", "training.epochs=2"]  # fmt: skip


def settings(*pairs):
    """Pairs as --set options."""
    return [word for pair in pairs for word in ("--set", pair)]


def command(*arguments):
    """The same in a process of its own."""
    return [sys.executable, "-m", "autogenome_tf", *map(str, arguments)]


def environment():
    """The environment of such a process."""
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def digests(folder):
    """Every path below a folder, with the content of files."""
    return {
        path: path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def call(capsys):
    """Run a command in this process: (status, standard output, standard error)."""

    def called(*arguments):
        capsys.readouterr()
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return called


# Light verbs -----------------------------------------------------------------------------------

LIGHT = """
import contextlib, io, json, sys
from autogenome_tf import cli
told = []
for arguments in json.loads(sys.argv[1]):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            status = cli.main(arguments)
        except SystemExit as end:
            status = end.code
    told.append([status, out.getvalue()])
slow = "tensorflow", "keras", "keras_tuner", "matplotlib", "sklearn", "scipy.sparse"
heavy = [name for name in slow if name in sys.modules]
print(json.dumps([told, heavy]))
"""


def test_help_version_and_check_import_nothing_slow(simulated):
    asked = [["--help"], ["--version"], ["check", str(simulated / "config.json")]]
    asked += [[verb, "--help"] for verb in VERBS]
    found = subprocess.run([sys.executable, "-c", LIGHT, json.dumps(asked)], env=environment(),
                           capture_output=True, text=True, check=True)  # fmt: skip
    told, heavy = json.loads(found.stdout)
    assert not heavy
    assert [status for status, _ in told] == [0] * len(asked)
    assert all(verb in told[0][1] for verb in VERBS)
    assert told[1][1].strip() == __version__
    assert "valid" in told[2][1]
    assert all("usage: autogenome-tf" in said for _, said in told[3:])


def test_no_verb_and_unknown_verbs_and_options_are_wrong_input(call):
    for arguments in ([], ["trian", "x"], ["run"], ["run", "x", "--fast"]):
        status, _, error = call(*arguments)
        assert status == 2 and "usage" in error


def test_an_interrupted_run_says_how_to_go_on(call, simulated, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("autogenome_tf.automl.AutoGenome.run", interrupt)
    status, _, error = call("run", simulated / "config.json")
    assert status == 1 and "the same command" in error


def test_what_nobody_foresaw_ends_with_status_1():
    program = "from autogenome_tf import cli; cli.check = None; cli.main(['check', 'x'])"
    found = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True)
    assert found.returncode == 1


# A run -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(simulated, tmp_path_factory):
    """A run made by one quiet command: its folder, and what the process said."""
    output = tmp_path_factory.mktemp("output")
    config = simulated / "config.json"
    fast = settings(*FAST, "output.figures=false")
    arguments = ["run", config, "--quiet", "--output", output, *fast]
    said = subprocess.run(command(*arguments), env=environment(), capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return output / "simulated", said


def test_output_takes_the_place_of_output_dir(finished, simulated):
    folder, _ = finished
    assert (folder / "model.keras").is_file() and not (simulated / "runs" / "simulated").exists()


def test_set_overrides_the_config(finished):
    known = json.loads((finished[0] / "config.json").read_text())
    assert known["search"]["max_trials"] == 2 and known["training"]["epochs"] == 2
    assert known["families"] == {"linear": {"l2": 0.1}, "mlp": {"layers": 1, "units": 4}}


def test_a_quiet_run_says_nothing_but_warnings(finished):
    said = finished[1].stderr.replace("the baseline", "")  # it may have won
    assert not re.search("trial|baseline:|final fit|tab-separated", said)
    assert "tensorflow" not in said.lower() and "UserWarning" not in said


def test_a_quiet_run_has_no_output(finished):
    assert finished[1].stdout == ""


def test_evaluate_repeats_the_metrics(call, finished):
    folder, _ = finished
    before = (folder / "metrics.json").read_bytes()
    (folder / "metrics.json").unlink()
    status, out, error = call("evaluate", folder, "--quiet")
    known = json.loads((folder / "warnings.json").read_text())
    of_scores = [f"{one['text']}\n" for one in known if one["about"] == "scores"]
    assert (status, out, error) == (0, "", "".join(of_scores))
    assert (folder / "metrics.json").read_bytes() == before


def test_predict_writes_where_it_is_told(call, finished, simulated, tmp_path):
    folder, _ = finished
    features, output = simulated / "features.tsv.gz", tmp_path / "new" / "out.tsv"
    status, out, _ = call("predict", folder, features, "--output", output, "--quiet")
    assert status == 0 and out.strip() == str(output)
    names = ["prediction", "p_class_1", "p_class_2", "p_class_3"]
    new, known = (pd.read_csv(p, sep="\t") for p in (output, folder / "predictions.tsv"))
    pd.testing.assert_frame_equal(new[["sample", *names]], known[["sample", *names]])
    assert set(new["part"]) == {"new"}


def test_predict_writes_into_the_run_folder_by_itself(call, finished, simulated):
    folder, _ = finished
    status, out, _ = call("predict", folder, simulated / "features.tsv.gz", "--quiet")
    assert status == 0
    path = Path(out.strip())
    assert path.parent == folder and len(pd.read_csv(path, sep="\t")) == 60
    assert path.name == "features.predictions.tsv"
    path.unlink()


def test_predictions_of_files_whose_names_begin_alike_do_not_meet(
    call, finished, simulated, tmp_path
):
    folder, _ = finished
    written = []
    for name in ("GSE1.same.tsv.gz", "GSE1.other.tsv.gz"):
        (tmp_path / name).write_bytes((simulated / "features.tsv.gz").read_bytes())
        _, out, _ = call("predict", folder, tmp_path / name, "--quiet")
        written.append(Path(out.strip()))
    assert [path.name for path in written] == [
        "GSE1.same.predictions.tsv", "GSE1.other.predictions.tsv"
    ]  # fmt: skip
    for path in written:
        path.unlink()


@pytest.fixture
def small(simulated, tmp_path):
    """A config of the simulated rows with the linear model only."""
    known = json.loads((simulated / "config.json").read_text())
    for name in ("features", "targets"):
        known["data"][name] = str(simulated / known["data"][name])
    linear = {"loss": "logistic", "l2": 0.1, "gene_power": 0}
    known |= {"families": {"linear": linear}, "search": {"folds": 2}, "output_dir": "runs"}
    (tmp_path / "config.json").write_text(json.dumps(known))
    return tmp_path / "config.json"


def test_without_a_terminal_there_are_plain_lines(call, small):
    status, out, error = call("run", small)
    assert status == 0
    assert re.search(r"^baseline: linear log_loss [\d.]+ .*best", error, re.M)
    assert "\x1b" not in error + out and "\r" not in error + out and "━" not in error
    assert "leaderboard, top 1 of 1" in out and "metrics with 95 % intervals" in out
    assert f"files: {small.parent / 'runs' / 'simulated'}" in out


def test_the_closing_table_tells_linear_learners_apart(capsys):
    from autogenome_tf.cli import _summary

    values = [{"loss": "pls", "gene_power": 0.5}, {"units": 8}, {"loss": "logistic"}]
    # As leaderboard.tsv has them.
    texts = [json.dumps(own) for own in values]
    board = pd.DataFrame(
        {
            "rank": [1, 2, 3], "family": ["linear", "mlp", "linear"], "trial": [2, 1, 0],
            "score": 0.5, "error": 0.1, "epochs": 1, "seconds": 1.0, "parameters": 9,
            "hyperparameters": texts,
        }
    )  # fmt: skip
    rich.console.Console(width=120).print(_summary._trials(board, "log_loss"))
    shown = capsys.readouterr().out
    assert "linear (pls, gene power 0.5) " in shown and "linear (baseline) " in shown
    assert " mlp " in shown


def test_train_says_where_the_run_is_and_run_goes_on_from_there(call, small):
    status, out, _ = call("train", small, "--quiet")
    folder = Path(out.strip())
    assert status == 0 and (folder / "model.keras").is_file()
    assert not (folder / "metrics.json").exists()
    trained = (folder / "model.keras").read_bytes()
    assert call("evaluate", folder, "--quiet")[0] == 0
    assert (folder / "metrics.json").is_file()
    assert (folder / "model.keras").read_bytes() == trained


@pytest.mark.slow
def test_on_a_terminal_a_bar_shows_the_trials_and_the_best(simulated, tmp_path):
    pexpect = pytest.importorskip("pexpect")
    arguments = ["train", simulated / "config.json", "--output", tmp_path, *settings(*FAST)]
    program, *rest = command(*arguments)
    child = pexpect.spawn(
        program, rest, env=environment() | {"TERM": "xterm"}, encoding="utf-8",
        dimensions=(40, 120), timeout=300,
    )  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    bar = r"search, best log_loss [\d.]+ \((linear|mlp)\).*━.*[12]/2.*left"
    assert re.search(bar, child.before)
    assert "trial 2/2: mlp" in child.before


# Bad input -------------------------------------------------------------------------------------

LABELS = ["a", "b"] * 6


def matrix(rows=12, genes=4):
    """Rows of cells, the header first."""
    header = ["sample", *(f"g{j}" for j in range(genes))]
    return [header] + [
        [f"s{i}", *(str((i * 7 + j * j) % 9) for j in range(genes))] for i in range(rows)
    ]


def lines(rows):
    """Rows of cells as text."""
    return "".join("\t".join(row) + "\n" for row in rows)


@pytest.fixture
def project(tmp_path):
    """A folder of a small sound config and its files."""
    (tmp_path / "x.tsv").write_text(lines(matrix()))
    rows = [["sample", "y", "patient"]] + [[f"s{i}", y, f"p{i}"] for i, y in enumerate(LABELS)]
    (tmp_path / "y.tsv").write_text(lines(rows))
    data = {"features": "x.tsv", "targets": "y.tsv", "target": "y"}
    config = {"name": "t", "data": data, "families": {"linear": {}}, "search": {"folds": 2}}
    (tmp_path / "c.json").write_text(json.dumps(config))
    return tmp_path


def refused(call, folder, *arguments):
    """The one line that bad input is answered with; nothing else may have happened."""
    before = digests(folder)
    status, out, error = call(*arguments, "--quiet")
    assert status == 2, error
    assert out == "" and error.startswith("autogenome-tf: ") and error.count("\n") == 1
    assert digests(folder) == before
    return error


def test_the_small_project_is_sound(call, project):
    assert call("run", project / "c.json", "--quiet")[0] == 0  # so the damage below is the reason


def in_cell(row, column, text, file="x.tsv"):
    """Damage one cell."""

    def damage(folder):
        cells = [line.split("\t") for line in (folder / file).read_text().splitlines()]
        cells[row][column] = text
        (folder / file).write_text(lines(cells))

    return damage


def both(first, second):
    """Damage two places."""

    def damage(folder):
        first(folder)
        second(folder)

    return damage


def in_file(change, file="x.tsv"):
    """Damage a file's bytes; None removes it."""

    def damage(folder):
        content = change((folder / file).read_bytes())
        (folder / file).unlink()
        if content is not None:
            (folder / file).write_bytes(content)

    return damage


def in_labels(*labels):
    """Take other labels."""

    def damage(folder):
        rows = [["sample", "y"]] + [[f"s{i}", y] for i, y in enumerate(labels)]
        (folder / "y.tsv").write_text(lines(rows))

    return damage


def constant(folder, cells=("1", "2", "3", "4")):
    """Give every sample the same cells."""
    rows = [row if i == 0 else [row[0], *cells] for i, row in enumerate(matrix())]
    (folder / "x.tsv").write_text(lines(rows))


BAD_DATA = {
    "missing features": (in_file(lambda _: None), [], r"x\.tsv.*no such file"),
    "missing targets": (in_file(lambda _: None, "y.tsv"), [], r"y\.tsv.*no such file"),
    "empty features": (in_file(lambda _: b""), [], r"x\.tsv.*empty"),
    "empty targets": (in_file(lambda _: b"", "y.tsv"), [], r"y\.tsv.*empty"),
    "header only": (in_file(lambda b: b[: b.index(b"\n") + 1]), [], r"x\.tsv.*only a header"),
    "ragged rows": (in_cell(5, 4, "1\t2"), [], r"x\.tsv.*line 6.*6.*expected 5"),
    "text in a cell": (in_cell(5, 2, "high"), [], r"x\.tsv.*line 6.*'g1'.*'high'.*number"),
    "commas and points": (both(in_cell(5, 2, "1,5"), in_cell(6, 2, "1.5")), [], r"x\.tsv.*comma"),
    "missing value": (in_cell(5, 2, "NA"), [], r"x\.tsv.*'s4'.*'g1'.*missing.*data\.missing"),
    "infinite value": (in_cell(5, 2, "inf"), [], r"x\.tsv.*line 6.*'g1'.*inf.*finite"),
    "duplicate sample": (in_cell(5, 0, "s0"), [], r"x\.tsv.*duplicate sample id.*'s0'"),
    "duplicate sample in targets": (
        in_cell(5, 0, "s0", "y.tsv"), [], r"y\.tsv.*duplicate sample id.*'s0'"
    ),
    "duplicate gene": (in_cell(0, 3, "g0"), [], r"x\.tsv.*duplicate gene.*'g0'"),
    "other ids": (
        in_file(lambda b: b.replace(b"\ns", b"\nz"), "y.tsv"), [],
        r"x\.tsv has 's0'.*y\.tsv has 'z0'",
    ),
    "class of one": (in_labels("c", *LABELS[1:]), [], r"y\.tsv: y.*at least 2.*'c'"),
    "one class": (in_labels(*["a"] * 12), [], r"y\.tsv: y: one class only.*'a'"),
    "labels missing": (in_labels(*["NA"] * 12), [], r"y\.tsv: 'y': expected labels.*'NA' \(12"),
    "constant target": (
        in_labels(*["3.5"] * 12), ["task.type=regression"], r"y\.tsv: y: constant \(3\.5\)"
    ),
    "text for a number": (
        lambda _: None, ["task.type=regression"], r"y\.tsv: y: sample s0.*number.*'a'"
    ),
    "constant genes": (constant, [], r"x\.tsv: all 4 genes are constant"),
    "missing genes": (
        lambda folder: constant(folder, ["NA"] * 4), ["data.missing=mean"],
        r"x\.tsv: all 4 genes are missing in every sample",
    ),
    "unknown target": (
        lambda _: None, ["data.target=patiant"], r"y\.tsv.*data\.target.*'patiant'.*'patient'"
    ),
    "unknown group": (
        lambda _: None, ["data.split.group=patiant"], r"data\.split\.group.*'patiant'.*'patient'"
    ),
    "not UTF-8": (in_file(lambda b: b.replace(b"g1", b"g\xe9")), [], r"x\.tsv.*UTF-8"),
    "not UTF-8 in targets": (
        in_file(lambda b: b.replace(b"\ta", b"\t\xe9"), "y.tsv"), [], r"y\.tsv.*UTF-8"
    ),
    "unknown kind of file": (lambda _: None, ["data.features=x.docx"], r"x\.docx.*expected one of"),
    "log of negative values": (
        in_file(lambda b: b.replace(b"\t3", b"\t-3")), ["data.transform=log1p"],
        r"data\.transform.*log1p.*-3",
    ),
    "too many folds": (lambda _: None, ["search.folds=50"], r"search\.folds.*50.*there are 10"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_one_clear_line(call, project, name):
    damage, changes, expected = BAD_DATA[name]
    damage(project)
    error = refused(call, project, "run", project / "c.json", *settings(*changes))
    assert re.search(expected, error), error


def test_a_truncated_gzip_is_one_clear_line(call, project):
    rows = matrix(rows=400)
    packed = gzip.compress(lines(rows).encode())
    (project / "x.tsv.gz").write_bytes(packed[: len(packed) // 2])
    changes = settings("data.features=x.tsv.gz")
    assert re.search(
        r"x\.tsv\.gz.*(truncated|ends|damaged|broken|incomplete)",
        refused(call, project, "run", project / "c.json", *changes),
    )


BAD_CONFIG = {
    "wrong JSON": ('{"name": "t",, }', [], r"c\.json: not valid JSON.*1"),
    "no object": ("[1]", [], r"c\.json: expected a JSON object"),
    "misspelt key": (None, ["serach.max_trials=3"], r"serach: unknown key.*'search'"),
    "misspelt key below": (None, ["search.max_trails=3"], r"search\.max_trails.*'max_trials'"),
    "wrong type": (None, ["search.max_trials=many"], r"search\.max_trials: expected.*int.*many"),
    "out of range": (None, ["search.max_trials=0"], r"search\.max_trials.*1.*received 0"),
    "fractions": (None, ["data.split={test: 0.6, validation: 0.5}"], r"data\.split.*below 1"),
    "unknown word": (None, ["search.method=bayes"], r"search\.method.*'bayesian'"),
    "unknown family": (None, ["families={resnt: {}}"], r"families.*'resnt'.*'resnet'"),
    "unknown hyperparameter": (None, ["families={mlp: {unit: 3}}"], r"families\.mlp.*'units'"),
    "value of a hyperparameter": (
        None, ["families={mlp: {dropout: 1.5}}"], r"families\.mlp\.dropout.*below 1.*1\.5"
    ),
    "objective of another task": (None, ["search.objective=r2"], r"search\.objective.*log_loss"),
    "no features": (None, ["data.features="], r"data\.features"),
    "--set without value": (None, ["search.epochs"], r"--set search\.epochs.*key\.path=value"),
}  # fmt: skip


@pytest.mark.parametrize("verb", ["check", "run"])
@pytest.mark.parametrize("name", BAD_CONFIG)
def test_a_bad_config_is_one_clear_line(call, project, name, verb, monkeypatch):
    text, changes, expected = BAD_CONFIG[name]
    if text is not None:
        (project / "c.json").write_text(text)
    arguments = [verb, project / "c.json", *settings(*changes)]
    before = digests(project)
    status, out, error = call(*arguments)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert re.search(expected, error), error
    assert digests(project) == before


@pytest.mark.parametrize("verb", ["check", "run", "train"])
def test_a_config_that_is_not_there_is_one_clear_line(call, tmp_path, verb):
    status, _, error = call(verb, tmp_path / "c.json")
    assert status == 2 and error.count("\n") == 1 and "no such config file" in error


def test_check_names_a_data_file_that_is_not_there(call, project):
    (project / "y.tsv").unlink()
    status, _, error = call("check", project / "c.json")
    assert status == 2 and "y.tsv: no such file" in error and error.count("\n") == 1


@pytest.mark.parametrize("key", ["predict", "evaluate"])
@pytest.mark.parametrize("content", [None, "sample\tg0\ns1\t1\ns2\t2\n"])
def test_a_bad_further_file_is_refused_before_training(call, project, key, content):
    if content:
        (project / "new.tsv").write_text(content)
    error = refused(call, project, "run", project / "c.json", *settings(f"data.{key}=new.tsv"))
    assert "new.tsv" in error


def test_a_split_file_with_other_folds_than_asked_for_is_refused(call, project):
    rows = [["sample", "part", "fold"]] + [[f"s{i}", "train", str(1 + i % 2)] for i in range(12)]
    (project / "split.tsv").write_text(lines(rows))
    changes = settings("data.split=split.tsv", "search.folds=3")
    assert "fold" in refused(call, project, "run", project / "c.json", *changes)


def test_an_output_that_is_a_file_is_refused(call, project):
    error = refused(call, project, "run", project / "c.json", "--output", project / "x.tsv")
    assert "x.tsv: cannot write here: a file stands in the place of a folder" in error


@pytest.mark.parametrize("verb", [["evaluate"], ["predict"]])
def test_a_folder_that_is_no_run_is_refused(call, project, verb):
    rest = [project / "x.tsv"] if verb == ["predict"] else []
    error = refused(call, project, *verb, project, *rest)
    assert "not a run folder" in error


BAD_ROWS = {
    "lacking genes": (lambda x: x.iloc[:, 20:], "lacks 20 of the 80 .*'GENE00001'.* importance"),
    "text": (lambda x: x.assign(GENE00002="much"), "line 2.*'GENE00002'.*'much'"),
    "missing value": (lambda x: x.assign(GENE00002=None), "S0001.*GENE00002.*missing"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows_to_predict_are_one_clear_line(call, finished, simulated, tmp_path, name):
    change, expected = BAD_ROWS[name]
    genes = pd.read_csv(simulated / "features.tsv.gz", sep="\t", index_col=0)
    change(genes).to_csv(tmp_path / "new.tsv", sep="\t", na_rep="NA")
    output = tmp_path / "out.tsv"
    error = refused(
        call, tmp_path, "predict", finished[0], tmp_path / "new.tsv", "--output", output
    )
    assert "new.tsv" in error and re.search(expected, error), error


def test_predictions_into_a_folder_that_is_a_file_are_refused(call, finished, simulated, tmp_path):
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "out.tsv"
    features = simulated / "features.tsv.gz"
    error = refused(call, tmp_path, "predict", finished[0], features, "--output", output)
    assert "cannot write here: a file stands in the place of a folder" in error


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_predictions_go_to_standard_output_and_replace_no_device(
    call, finished, simulated, output, monkeypatch
):
    def forbidden(*_):
        raise AssertionError("a file was replaced")

    monkeypatch.setattr(os, "replace", forbidden)
    features = simulated / "features.tsv.gz"
    status, out, _ = call("predict", finished[0], features, "--output", output, "--quiet")
    found = pd.read_csv(io.StringIO(out), sep="\t")
    known = pd.read_csv(finished[0] / "predictions.tsv", sep="\t")
    assert status == 0 and list(found["prediction"]) == list(known["prediction"])


def test_predictions_into_a_file_of_csv_have_commas(call, finished, simulated, tmp_path):
    features = simulated / "features.tsv.gz"
    for name, delimiter in (("out.csv", ","), ("out.tsv", "\t")):
        output = tmp_path / name
        assert call("predict", finished[0], features, "--output", output)[0] == 0
        found = pd.read_csv(output, sep=delimiter)
        assert list(found.columns[:2]) == ["sample", "part"]


@pytest.mark.parametrize("name", ["out.tsv.gz", "out.CSV.gz", "out.txt.bz2", "out.tab.zst"])
def test_predictions_are_packed_as_their_name_says(call, finished, simulated, tmp_path, name):
    output = tmp_path / name
    assert call("predict", finished[0], simulated / "features.tsv.gz", "--output", output)[0] == 0
    with pyarrow.input_stream(output) as stream:  # unpacks what the name says
        found = pd.read_csv(stream, sep="," if "CSV" in name else "\t")
    known = pd.read_csv(finished[0] / "predictions.tsv", sep="\t")
    assert list(found["prediction"]) == list(known["prediction"])


@pytest.mark.parametrize("name", ["out.parquet", "out.tsv.zip", "out.xlsx", "out.gz"])
def test_predictions_into_what_is_no_text_are_refused_at_once(
    call, finished, simulated, tmp_path, name, monkeypatch
):
    monkeypatch.setattr("autogenome_tf.automl.AutoGenome.predict", None)  # nothing is computed
    output = tmp_path / name
    error = refused(
        call, tmp_path, "predict", finished[0], simulated / "features.tsv.gz", "--output", output
    )
    assert f"{output}: predictions are a table of text; expected a name that ends in .tsv" in error


def test_predictions_into_what_is_no_file_are_refused(call, finished, simulated, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    features = simulated / "features.tsv.gz"
    for name in ("pipe", "."):
        error = refused(
            call, tmp_path, "predict", finished[0], features, "--output", tmp_path / name
        )
        assert "not a file; - stands for standard output" in error
    assert (tmp_path / "pipe").is_fifo()


def test_predictions_replace_neither_their_rows_nor_a_file_of_the_run(
    call, finished, simulated, tmp_path
):
    rows = tmp_path / "new.tsv"
    pd.read_csv(simulated / "features.tsv.gz", sep="\t", index_col=0).to_csv(rows, sep="\t")
    (tmp_path / "link.tsv").symlink_to(rows)
    own = [finished[0] / name for name in ("model.keras", "predictions.tsv")]
    kept = {path: path.read_bytes() for path in (rows, *own, simulated / "features.tsv.gz")}
    for output in (*kept, tmp_path / "link.tsv"):
        error = refused(call, tmp_path, "predict", finished[0], rows, "--output", output)
        assert "would replace a file that the run reads; expected another name" in error
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_a_reader_of_the_output_that_has_enough_is_no_error():
    process = subprocess.Popen(
        command("schema"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 1


def test_a_folder_is_no_config(call, tmp_path):
    status, _, error = call("check", tmp_path)
    assert status == 2 and f"{tmp_path}: a folder; expected a config file" in error


# Simulate --------------------------------------------------------------------------------------


def test_simulate_writes_a_config_that_check_finds_valid(call, tmp_path):
    options = ["--samples", 20, "--features", 30, "--informative", 2, "--interactions", 0]
    assert call("simulate", tmp_path / "new", *options)[0] == 0
    shape = pd.read_csv(tmp_path / "new" / "features.tsv.gz", sep="\t", index_col=0).shape
    assert shape == (20, 30)
    status, out, _ = call("check", tmp_path / "new" / "config.json")
    assert status == 0 and "valid" in out


def test_simulate_refuses_to_overwrite_and_what_cannot_be(call, tmp_path):
    options = ["--samples", 20, "--features", 30, "--informative", 2, "--interactions", 0]
    call("simulate", tmp_path, *options)
    before = digests(tmp_path)
    for arguments in (
        ["simulate", tmp_path, *options],
        ["simulate", tmp_path / "b", "--classes", 1],
    ):
        status, _, error = call(*arguments)
        assert status == 2 and error.count("\n") == 1
    assert digests(tmp_path) == before


# What the machine does ---------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_do_not_work_on_one_run(call, small, tmp_path):
    _, out, _ = call("train", small, "--quiet")
    folder = Path(out.strip())
    with Run(folder).alone():
        other = Command(["evaluate", folder], tmp_path / "said.txt")
        assert other.ended_within(status=1)
    assert "another process is working on this run" in other.text
    assert f"process {os.getpid()}" in other.text and "Traceback" not in other.text
    assert not (folder / "metrics.json").exists()
    assert call("evaluate", folder, "--quiet")[0] == 0


def test_a_full_disk_ends_a_stage_with_one_message(call, small):
    """A limit on the size of a file stands for the end of the disk."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, most))
    try:
        status, _, told = call("run", small, "--quiet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert status == 1 and "Traceback" not in told, told
    assert "File too large" in told and "the same command continues" in told
    folder = small.parent / "runs" / "simulated"
    assert not list(folder.rglob(".partial*"))
    assert all(path.stat().st_size < 9001 for path in folder.rglob("*"))
    assert call("run", small, "--quiet")[0] == 0
    assert (folder / "report.html").exists()
