"""Role of a process in a search of several: chief, worker, or the only one.

KerasTuner's own variables say it, so that a scheduler may set them and all run one command.
"""

import dataclasses
import json
import os
import platform

from autogenome_tf.core.errors import InputError

TUNER, HOST, PORT = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"
# Kinds of processes in TF_CONFIG that train; the first writes the run.
MEMBERS = ("chief", "worker")
# Where the chief is, and listens, unless told otherwise: this machine, and nobody beside it.
ADDRESS = "127.0.0.1:8000"


@dataclasses.dataclass(frozen=True)
class ProcessRole:
    """A part in a search of many processes.

    Attributes:
        tuner: The process's name; a worker that comes back under it gets its trial back.
        host: Where the chief is; where it listens.
        port: From 1 to 65535.
    """

    tuner: str
    host: str
    port: int

    @property
    def is_chief(self) -> bool:
        """Return whether the process is the chief, by its name, as KerasTuner has it."""
        return "chief" in self.tuner

    @property
    def address(self) -> str:
        """Return the address as ``host:port``."""
        return f"{self.host}:{self.port}"


def own_role() -> ProcessRole | None:
    """Return the `ProcessRole` of this process from its environment; None where it is alone.

    Raises:
        InputError: Where a variable is missing or wrong.
    """
    known = {name: os.environ.get(name, "").strip() for name in (TUNER, HOST, PORT)}
    if not any(known.values()):
        return None
    missing = [name for name, value in known.items() if not value]
    if missing:
        there = ", ".join(name for name, value in known.items() if value)
        raise InputError(
            f"environment: {' and '.join(missing)} missing; a search of several processes needs "
            f"{TUNER}, {HOST} and {PORT} (received {there})."
        )
    return ProcessRole(known[TUNER], known[HOST], _port(PORT, known[PORT]))


def take(role: str | None = None, address: str | None = None) -> None:
    """Set the variables as the command line asks; without a word of it those of a scheduler stay.

    Args:
        role: "chief", "worker" or None.
        address: ``HOST:PORT`` of the chief; `ADDRESS` where neither this nor a variable says it.

    Raises:
        InputError: Where option and variable disagree, or the address is none.
    """
    if role is None and address is None:
        return
    tuner = os.environ.get(TUNER)
    if role is None and not tuner:
        raise InputError(f"--chief {address}: whose part is it? Add --role chief or --role worker.")
    if role and tuner and ("chief" in tuner) != (role == "chief"):
        raise InputError(
            f"--role {role}: {TUNER} is {tuner!r}, and who has chief in its name, and nobody else, "
            "is the chief."
        )
    # A worker's name must not say chief, whatever the machine is called.
    alone = f"worker-{platform.node()}-{os.getpid()}".replace("chief", "c")
    os.environ.setdefault(TUNER, "chief" if role == "chief" else alone)
    host, _, port = (address or ADDRESS).rpartition(":")
    if not host:
        raise InputError(f"--chief: expected HOST:PORT; received {address!r}.")
    _port("--chief", port)
    for name, value in ((HOST, host), (PORT, port)):
        os.environ[name] = value if address else os.environ.get(name) or value


def member() -> tuple[int, int] | None:
    """Return this process's position in TF_CONFIG's cluster and the number of its processes.

    Returns:
        The pair, the first place being 0; None where TF_CONFIG names no other process.

    Raises:
        InputError: Where it is not what TensorFlow reads, or names processes of other kinds.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        known = json.loads(text)
        cluster = {kind: list(known["cluster"][kind]) for kind in known.get("cluster", {})}
        order = [(kind, i) for kind in MEMBERS for i in range(len(cluster.get(kind, [])))]
        if len(order) < 2 and not cluster.keys() - set(MEMBERS):
            return None
        place = order.index((known["task"]["type"], int(known["task"]["index"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        place = None
    if place is None or cluster.keys() - set(MEMBERS):
        raise InputError(
            "environment: TF_CONFIG: expected a cluster of worker (and chief) addresses, and the "
            f"type and index of one of them as the task; received {text[:200]!r}."
        )
    return place, len(order)


def _port(place, text):
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise InputError(f"{place}: expected a port from 1 to 65535; received {text!r}.")
    return int(text)
