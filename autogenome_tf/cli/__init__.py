"""The command line: one function a verb, one call each; only those that train import TensorFlow."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from autogenome_tf.core import __version__
from autogenome_tf.core.errors import InputError, StageError, cannot_write, some

DONE, FAILED, WRONG_INPUT = 0, 1, 2
# As the output of `predict`. The second must not be replaced like a file.
STANDARD_OUTPUT = ("-", "/dev/stdout")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status (0 done, 2 the input is wrong, 1 anything else).

    Args:
        arguments: Command line without the program's name; None for that of the process.
    """
    parsed = _parser().parse_args(arguments)
    try:
        parsed.verb(parsed)
        sys.stdout.flush()
    except InputError as error:
        print(f"autogenome-tf: {error}", file=sys.stderr)
        return WRONG_INPUT
    except BrokenPipeError:
        # Who read the output, such as `head`, has enough; Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (StageError, OSError) as error:
        print(f"autogenome-tf: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("autogenome-tf: interrupted; the same command continues the run.", file=sys.stderr)
        return FAILED
    return DONE


def check(parsed: argparse.Namespace) -> None:
    """Check a config without TensorFlow."""
    from autogenome_tf import data, families, search
    from autogenome_tf.config import Config

    config = Config.load(parsed.config, parsed.set)
    families.spaces(config, f"{parsed.config}: families")
    search.method(config.search.method, f"{parsed.config}: search.method")
    if not config.data.features:
        raise InputError(f"{parsed.config}: data.features: expected the path of a matrix.")
    has_target = config.data.targets or config.data.target_names
    if config.task.needs_target and not has_target:
        raise InputError(f"{parsed.config}: data.target: expected the name of a column to predict.")
    for path in config.files:
        if not Path(path).exists():
            raise InputError(f"{parsed.config}: {data.missing_file(path)}")
    data.ReadOptions.of(config.data)
    for source in config.data.matrices:
        data.find_reader(source)
    print(
        f"{parsed.config}: valid; {config.search.method} search over {', '.join(config.families)} "
        "(names of columns are checked when the files are read)"
    )


def run(parsed: argparse.Namespace) -> None:
    """Run all stages and print the results."""
    automl = _of_config(parsed)
    is_done = automl.run() is not None
    if is_done and not parsed.quiet:
        from autogenome_tf.cli._summary import show

        show(automl.folder, automl.config)


def train(parsed: argparse.Namespace) -> None:
    """Search and train."""
    automl = _of_config(parsed)
    if automl.train() is not None:
        print(automl.folder)


def evaluate(parsed: argparse.Namespace) -> None:
    """Score a run's model and show the metrics."""
    automl = _of_run(parsed)
    automl.evaluate()
    if not parsed.quiet:
        from autogenome_tf.cli._summary import show_metrics

        show_metrics(automl.folder)


def explain(parsed: argparse.Namespace) -> None:
    """Attribute a run's predictions to genes."""
    automl = _of_run(parsed)
    table = automl.explain(parsed.method, parsed.samples, interactions=parsed.interactions)
    if not parsed.quiet:
        top = table.head(automl.config.explanation.top)
        print(top[["feature", "rank", "total"]].to_string(index=False))
    print(automl.folder / "attributions.tsv")


def export(parsed: argparse.Namespace) -> None:
    """Write a run's model for TensorFlow Serving."""
    print(_of_run(parsed).export())


def report(parsed: argparse.Namespace) -> None:
    """Write a run's report.html."""
    print(_of_run(parsed).report())


def predict(parsed: argparse.Namespace) -> None:
    """Predict new rows."""
    automl = _of_run(parsed)
    from autogenome_tf.core.files import replacing
    from autogenome_tf.data import packed, stem
    from autogenome_tf.run import table_text

    if parsed.output and parsed.output not in STANDARD_OUTPUT:
        _check_replaced(parsed.output, automl.folder, [parsed.file, *automl.config.files])
        _check_output(parsed.output)
    output = parsed.output or str(automl.folder / f"{stem(parsed.file)}.predictions.tsv")
    is_csv = ".csv" in [suffix.lower() for suffix in Path(output).suffixes[-2:]]
    text = table_text(automl.predict(parsed.file), delimiter="," if is_csv else "\t")
    if output in STANDARD_OUTPUT:
        sys.stdout.write(text)
        return
    try:
        with replacing(output) as path:
            path.write_bytes(packed(output, text.encode()))
    except OSError as error:
        raise cannot_write(output, error) from None
    print(output)


def _check_output(output):
    """Refuse what is there and no file, and a name of what is no table of text."""
    from autogenome_tf.data import TEXTS

    if Path(output).exists() and not Path(output).is_file():
        raise InputError(f"{output}: cannot write here: not a file; - stands for standard output.")
    if Path(output).suffix and not output.lower().endswith(TEXTS):
        raise InputError(
            f"{output}: predictions are a table of text; expected a name that ends in "
            ".tsv, .csv, .txt or .tab, also followed by .gz, .bz2 or .zst."
        )


def _check_replaced(output, folder, sources):
    """Refuse to write predictions over rows that are read, or over a file of the run."""
    from autogenome_tf.run import artifacts

    place, folder = Path(output).resolve(), folder.resolve()
    is_of_run = place.is_relative_to(folder) and artifacts.artifact_of(
        place.relative_to(folder).as_posix()
    )
    if is_of_run or place in {Path(source).resolve() for source in sources}:
        raise InputError(
            f"{output}: predictions would replace a file that the run reads; expected another name."
        )


def port(parsed: argparse.Namespace) -> None:
    """Turn a config of AutoGenome into one of this package."""
    from autogenome_tf import families
    from autogenome_tf.config import Config, autogenome, read_json
    from autogenome_tf.core.files import replacing

    given = read_json(parsed.old)
    if Path(parsed.new).exists():
        raise InputError(f"{parsed.new}: already exists; expected a new file.")
    if not autogenome.is_original(given):
        ours = sorted(autogenome.OURS.intersection(given if isinstance(given, dict) else ()))
        reason = f"it has keys of this package: {some(ours)}" if ours else (
            "it has neither model nor trainer"
        )  # fmt: skip
        raise InputError(f"{parsed.old}: not a config of AutoGenome: {reason}.")
    folder = Path(parsed.new).resolve().parent
    config, notes = Config.ported(given, parsed.old, Path(parsed.old).parent)
    config = config.resolved(Path(parsed.old).resolve().parent)
    families.spaces(config, f"{parsed.old}: families")
    try:
        with replacing(parsed.new) as path:
            path.write_text(config.relative(folder).as_json(is_short=True))
    except OSError as error:
        raise cannot_write(parsed.new, error) from None
    rows = [("old key", "new key", "effect"), *((n.old, n.new or "-", n.effect) for n in notes)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for old, new, effect in rows:
        print(f"{old:{widths[0]}}  {new:{widths[1]}}  {effect}".rstrip())
    print(parsed.new)


def schema(parsed: argparse.Namespace) -> None:
    """Print the JSON Schema of configs, for editors."""
    import json

    from autogenome_tf.cli import _schema

    print(_schema.table() if parsed.table else json.dumps(_schema.schema(), indent=2))


def simulate(parsed: argparse.Namespace) -> None:
    """Write a matrix with planted genes and the truth beside it."""
    from autogenome_tf.simulation.folder import KINDS

    kind = KINDS[parsed.kind]
    names = {field.name for field in dataclasses.fields(kind.parameters)}
    given = {name: value for name, value in vars(parsed).items() if name in parsed.of_what}
    for name in sorted(given.keys() - names):
        raise InputError(f"simulate: --{name.replace('_', '-')} is not an option of {kind.what}.")
    kind.write(parsed.folder, **given)
    print(
        f"{parsed.folder}: {', '.join(sorted(path.name for path in Path(parsed.folder).iterdir()))}"
    )


def _of_config(parsed):
    from autogenome_tf.config import Config, processes
    from autogenome_tf.run import talk

    processes.take(parsed.role, parsed.chief)
    overrides = list(parsed.set)
    talk(parsed.quiet)
    config = Config.load(parsed.config, overrides)
    if parsed.output:
        config = config.model_copy(update={"output_dir": str(Path(parsed.output).resolve())})
    return _autogenome()(config)


def _of_run(parsed):
    from autogenome_tf.run import Run, talk

    Run.existing(parsed.run)
    talk(parsed.quiet)
    return _autogenome().load(parsed.run)


def _autogenome():
    """Import the stages, and TensorFlow with them, without the banners it prints on start."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        from autogenome_tf.automl import AutoGenome
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
    return AutoGenome


def _parser():
    parser = argparse.ArgumentParser(
        prog="autogenome-tf", description="AutoML for omics matrices on TensorFlow."
    )
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for verb in (run, train, check):
        _add_of_config(verbs, verb)
    for verb in (evaluate, explain, predict, export, report):
        _add_of_run(verbs, verb)
    sub = _verb(verbs, port)
    sub.add_argument("old", metavar="OLD.json", help="config of the original AutoGenome")
    sub.add_argument("new", metavar="NEW.json", help="path of the config to write")
    sub = _verb(verbs, schema)
    sub.add_argument("--table", action="store_true", help="print a Markdown table in place of JSON")
    _add_simulate(verbs)
    return parser


def _add_of_config(verbs, verb):
    """Add a verb that takes a config."""
    sub = _verb(verbs, verb)
    sub.add_argument("config", metavar="CONFIG", help="JSON config")
    sub.add_argument("--set", action="append", default=[], metavar="key.path=value",
                     help="override one key of the config")  # fmt: skip
    if verb is check:
        return
    sub.add_argument("--output", metavar="DIR",
                     help="folder of run folders; replaces output_dir")  # fmt: skip
    sub.add_argument("--role", choices=["chief", "worker"],
                     help="role of this process in a shared search")  # fmt: skip
    sub.add_argument("--chief", metavar="HOST:PORT",
                     help="address of the chief (default: 127.0.0.1:8000)")  # fmt: skip
    _quiet(sub)


def _add_of_run(verbs, verb):
    """Add a verb that takes a run folder."""
    sub = _verb(verbs, verb)
    sub.add_argument("run", metavar="RUN", help="run folder")
    if verb is explain:
        sub.add_argument("--method", help="explainer; replaces explanation.method")
        sub.add_argument("--samples", type=int, metavar="N", help="number of rows to explain")
        sub.add_argument("--interactions", type=int, metavar="N",
                         help="rank interactions among the N most important genes")  # fmt: skip
    if verb is predict:
        sub.add_argument(
            "file", metavar="FILE", help="file of rows with the same genes, in any order"
        )
        sub.add_argument("--output", metavar="OUT.tsv",
                         help="a name that ends in .csv gets commas, others tabs; with .gz, .bz2 "
                         "or .zst behind it is packed; - is standard output; default: in the run "
                         "folder")  # fmt: skip
    _quiet(sub)


def _verb(verbs, function):
    sub = verbs.add_parser(
        function.__name__, help=function.__doc__.splitlines()[0], description=function.__doc__
    )
    sub.set_defaults(verb=function)
    return sub


def _quiet(sub):
    sub.add_argument("--quiet", action="store_true", help="print warnings and errors only")


def _add_simulate(verbs):
    sub = _verb(verbs, simulate)
    sub.add_argument(
        "folder", metavar="DIR", help="a new folder, or one that has none of the files yet"
    )
    kinds = {
        "samples": (int, "number of samples"),
        "features": (int, "number of genes, or of sites"),
        "classes": (int, "number of classes"),
        "informative": (int, "number of genes that differ between classes"),
        "interactions": (int, "number of pairs of genes that act together"),
        "blocks": (int, "number of blocks of co-expressed genes"),
        "batches": (int, "number of batches"),
        "batch-effect": (float, "standard deviation of the shifts of batches"),
        "dropout": (float, "share of values that are set to 0"),
        "censoring": (float, "of survival: share of samples that are censored"),
        "noise": (float, "standard deviation of the noise"),
        "terms": (int, "of genotypes: number of products of sites"),
        "order": (int, "of genotypes: most sites of a product"),
        "sets": (int, "of gene sets: their number"),
        "genes": (int, "of gene sets: genes of each"),
        "genomes": (int, "of contigs or reads: number of genomes"),
        "strains": (int, "of contigs: genomes that are strains of others"),
        "bases": (int, "of contigs or reads: length of a genome"),
        "shortest": (int, "of contigs: length of the shortest"),
        "deepest": (float, "of reads: largest depth of a genome"),
        "errors": (float, "of reads: share of wrong bases"),
        "seed": (int, "seed of all random numbers"),
    }
    several = sub.add_mutually_exclusive_group()
    for name, text in {
        "landscape": "genotypes of 0 and 1 and a target that is a sum of products of sites",
        "pathways": "expression that follows gene sets, a few of which decide the class",
        "contigs": "contigs (FASTA) of genomes and strains, and how deeply samples cover them",
        "reads": "long reads (FASTQ) of genomes that are sequenced at different depths",
    }.items():
        several.add_argument(
            f"--{name}", dest="kind", action="store_const", const=name, default="expression",
            help=text,
        )  # fmt: skip
    sub.set_defaults(of_what=[name.replace("-", "_") for name in [*kinds, "task", "crossing"]])
    for name, (kind, text) in kinds.items():
        option = {"type": kind, "default": argparse.SUPPRESS, "metavar": kind.__name__.upper()}
        sub.add_argument(f"--{name}", help=text, **option)
    sub.add_argument("--task", choices=["classification", "regression", "survival"],
                     default=argparse.SUPPRESS,
                     help="kind of target (default: classification)")  # fmt: skip
    sub.add_argument("--crossing", action="store_true", default=argparse.SUPPRESS,
                     help="of survival: effects change their sign at 24 months")  # fmt: skip
