"""The explainers that there are."""

from autogenome_tf.core import open_sets
from autogenome_tf.explainers._base import Explainer

FOLDER = "explainers"


def names() -> tuple[str, ...]:
    """List the explainers, sorted."""
    return open_sets.members(FOLDER)


def member(name: str, place: str = "explanation.method") -> Explainer:
    """Return an explainer by its name.

    Args:
        name: One of `names`.
        place: The config key that named it, for errors.

    Raises:
        InputError: There is none of this name; the message names the nearest.
    """
    return open_sets.member(FOLDER, name, Explainer, place)()


def tried_by_auto() -> list[str]:
    """List the explainers that `auto` tries, best first."""
    orders = {name: own["auto_order"] for name, own in open_sets.declared(FOLDER).items()}
    return sorted((name for name in orders if orders[name] is not None), key=orders.__getitem__)


def further_tables() -> list[str]:
    """List the names of all files that some explainer writes beside attributions."""
    return [name for own in open_sets.declared(FOLDER).values() for name in own["tables"]]
