"""A simulated data set as files: matrix, targets, truth, and a config that runs on it."""

import dataclasses
import json
import math
import pathlib
from collections.abc import Callable
from typing import Any

import pandas as pd

from autogenome_tf.core import errors
from autogenome_tf.core.files import replacing, replacing_packed
from autogenome_tf.simulation import contigs, expression, landscape, pathways, reads
from autogenome_tf.simulation._targets import TARGETS
from autogenome_tf.simulation.expression import RHO, Simulation, draw

SETS = "gene_sets.gmt"
# Sites of which all genotypes can be looked at, at most.
EXPLAINED = 20
CONTIGS, DEPTHS, READS = "contigs.fasta.gz", "depths.tsv", "reads.fastq.gz"
FILES = ("features.tsv.gz", "targets.tsv", "truth.tsv", "truth.json", "config.json")


def simulate(folder: str | pathlib.Path, **parameters: Any) -> Simulation:
    """Write a simulated data set and a config that runs on it.

    Args:
        folder: Where to write; made where it is missing.
        **parameters: Fields of `Parameters`.

    Returns:
        The `Simulation` that was written.

    Raises:
        errors.InputError: A parameter is out of range, or the folder already holds a data set.
    """
    folder = _unused(folder)
    simulation = draw(**parameters)
    batches = {"batch": simulation.batch}
    _write(folder, simulation, batches, _planted(simulation), _config(simulation.parameters))
    return simulation


def simulate_landscape(folder: str | pathlib.Path, **parameters: Any) -> landscape.Landscape:
    """Write simulated genotypes and a config that runs on them.

    Args:
        folder: Where to write; made where it is missing.
        **parameters: Fields of `landscape.Parameters`.

    Returns:
        The `landscape.Landscape` that was written.

    Raises:
        errors.InputError: As for `simulate`.
    """
    folder = _unused(folder)
    drawn = landscape.draw(**parameters)
    planted = {"terms": drawn.truth.to_dict(orient="records")}
    _write(folder, drawn, {}, planted, _landscape_config(drawn.parameters))
    return drawn


def simulate_pathways(folder: str | pathlib.Path, **parameters: Any) -> pathways.Pathways:
    """Write simulated expression that follows gene sets, the sets, and a config that runs on them.

    Args:
        folder: Where to write; made where it is missing.
        **parameters: Fields of `pathways.Parameters`.

    Returns:
        The `pathways.Pathways` that were written.

    Raises:
        errors.InputError: As for `simulate`.
    """
    folder = _unused(folder)
    drawn = pathways.draw(**parameters)
    is_informative = drawn.truth["role"] == "informative"
    planted = {"informative": drawn.truth["set"][is_informative].tolist()}
    with replacing(folder / SETS) as path:
        path.write_text(drawn.gmt(), encoding="utf-8")
    config = _config_of("pathways", drawn.parameters.seed, "classification")
    sizes = [len(own) for own in drawn.members]
    limits = {"min_genes": min(sizes), "max_genes": max(sizes)}
    config |= {"families": {"pathway": {"gene_sets": SETS, **limits}}}
    _write(folder, drawn, {}, planted, config)
    return drawn


def simulate_contigs(folder: str | pathlib.Path, **parameters: Any) -> contigs.Contigs:
    """Write simulated contigs, their depths and genomes, and a config that finds bins of them.

    Args:
        folder: Where to write; made where it is missing.
        **parameters: Fields of `contigs.Parameters`.

    Returns:
        The `contigs.Contigs` that were written.

    Raises:
        errors.InputError: As for `simulate`.
    """
    folder = _unused(folder)
    drawn = contigs.draw(**parameters)
    with replacing_packed(folder / CONTIGS) as file:
        for name, letters in zip(drawn.names, drawn.sequences, strict=True):
            file.write(f">{name}\n{letters}\n".encode())
    depths = pd.DataFrame(drawn.depths, columns=drawn.samples)
    depths.insert(0, "contig", drawn.names)
    _write_frame(folder / DEPTHS, depths)
    config = _bins_config("contigs", drawn.parameters.seed, CONTIGS, {"abundance": DEPTHS})
    _write_truth(folder, drawn, {}, config)
    return drawn


def simulate_reads(folder: str | pathlib.Path, **parameters: Any) -> reads.Reads:
    """Write simulated long reads and their genomes, and a config that finds bins of them.

    Args:
        folder: Where to write; made where it is missing.
        **parameters: Fields of `reads.Parameters`.

    Returns:
        The `reads.Reads` that were written.

    Raises:
        errors.InputError: As for `simulate`.
    """
    folder = _unused(folder)
    drawn = reads.draw(**parameters)
    # Phred's scale (Ewing and Green 1998), from 40 down, as FASTQ writes it.
    quality = chr(33 + round(-10 * math.log10(max(drawn.parameters.errors, 1e-4))))
    with replacing_packed(folder / READS) as file:
        for name, letters in zip(drawn.names, drawn.sequences, strict=True):
            file.write(f"@{name}\n{letters}\n+\n{quality * len(letters)}\n".encode())
    _write_truth(folder, drawn, {}, _bins_config("reads", drawn.parameters.seed, READS, {}))
    return drawn


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of simulated data.

    Args:
        what: The kind in words.
        parameters: Class of its parameters.
        write: Function of a folder and parameters that writes such data.
    """

    what: str
    parameters: type
    write: Callable[..., Any]


KINDS = {
    "expression": Kind("an expression matrix", expression.Parameters, simulate),
    "landscape": Kind("genotypes", landscape.Parameters, simulate_landscape),
    "pathways": Kind("expression that follows gene sets", pathways.Parameters, simulate_pathways),
    "contigs": Kind("contigs", contigs.Parameters, simulate_contigs),
    "reads": Kind("long reads", reads.Parameters, simulate_reads),
}


def _write(folder, drawn, further, planted, config):
    """Write what was drawn, further columns of targets.tsv, truth and config."""
    _write_features(folder / "features.tsv.gz", drawn)
    fields = drawn.target.dtype.names or ()
    columns = {name: drawn.target[name] for name in fields} or {"target": drawn.target}
    targets = pd.DataFrame({"sample": drawn.samples, **columns, **further})
    _write_frame(folder / "targets.tsv", targets)
    _write_truth(folder, drawn, planted, config)


def _write_truth(folder, drawn, planted, config):
    """Write what was planted, as a table and with all parameters as JSON, and the config."""
    _write_frame(folder / "truth.tsv", drawn.truth)
    parameters = {"parameters": dataclasses.asdict(drawn.parameters)}
    _write_json(folder / "truth.json", parameters | planted)
    _write_json(folder / "config.json", config)


def _unused(folder):
    """Return the path of a folder, which must not hold a data set."""
    folder = pathlib.Path(folder)
    if folder.exists() and not folder.is_dir():
        raise errors.InputError(f"simulate: {folder} is a file; choose an empty folder.")
    held = [name for name in (*FILES, SETS, CONTIGS, DEPTHS, READS) if (folder / name).exists()]
    if held:
        raise errors.InputError(
            f"simulate: {folder} already holds {', '.join(held)}; choose an empty folder."
        )
    return folder


def _write_features(path, simulation):
    line = "%s" + "\t%.9g" * len(simulation.features) + "\n"  # 9 digits: float32 comes back exactly
    with replacing_packed(path) as file:
        file.write(("\t".join(["sample", *simulation.features]) + "\n").encode())
        for sample, row in zip(simulation.samples, simulation.values, strict=True):
            file.write((line % (sample, *row.tolist())).encode())


def _write_frame(path, frame):
    with replacing(path) as temporary:
        frame.to_csv(temporary, sep="\t", index=False, float_format="%.9g")


def _write_json(path, content):
    with replacing(path) as temporary:
        text = json.dumps(content, indent=2, default=lambda number: number.item())
        temporary.write_text(text + "\n", encoding="utf-8")


def _planted(simulation):
    """Return what truth.json has beside the parameters."""
    truth = simulation.truth
    effects = simulation.effects.to_dict(orient="index")
    role = truth.set_index("feature")["role"]
    partner = truth.set_index("feature")["partner"]
    passengers = partner[role == "passenger"]
    return {
        "main": {gene: effects[gene] for gene in effects if role[gene] == "main"},
        "interactions": [
            {"features": [gene, partner[gene]], "effect": effects[gene]}
            for gene in effects
            if role[gene] == "interaction"
        ],
        "blocks": [
            {"driver": driver, "passengers": list(genes.index), "correlation": RHO}
            for driver, genes in passengers.groupby(passengers)
        ],
        "batch_features": truth["feature"][truth["batch"]].tolist(),
    }


def _config(asked):
    return _config_of("simulated", asked.seed, asked.task)


def _config_of(name, seed, task):
    return {
        "name": name,
        "seed": seed,
        "data": {
            "features": "features.tsv.gz", "targets": "targets.tsv",
            "target": TARGETS[task].columns,
        },
        "task": {"type": task},
    }  # fmt: skip


def _landscape_config(asked):
    explained = {"explanation": {"method": "epistasis"}} if asked.features <= EXPLAINED else {}
    return explained | _config_of("landscape", asked.seed, "regression") | {
        # Products of sites are what networks learn: noise on sites hides them.
        "families": {
            "linear": {},
            "mlp": {"layers": 2, "units": 32, "dropout": 0.0, "input_dropout": 0.0, "l2": 0.0,
                    "normalization": "none", "spectral_power": 0.0, "gene_power": 0.0},
        },
        "search": {"method": "grid", "epochs": 150},
        "training": {"epistasis": {"strength": [0.03, 0.01, 0.1]}, "learning_rate": 0.01,
                     "patience": 25},
        "ensemble": {"size": 3},
    }  # fmt: skip


def _bins_config(name, seed, file, further):
    return {
        "name": name,
        "seed": seed,
        "data": {
            "features": file, **further, "targets": "truth.tsv", "target": "genome",
            "split": {"test": 0},
        },
        "task": {"type": "representation"},
        "families": {"resvae": {"latent": 32, "dropout": 0.0, "input_dropout": 0.0}},
        "search": {"max_trials": 1},
        "output": {"bins": True},
    }  # fmt: skip
