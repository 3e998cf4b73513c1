"""Linear learners that are solved exactly for a path of one number, on rows in memory.

Each ends as one kernel and one bias on the coordinates of its rows, as a dense layer has them.
Logistic and ridge regression are not among them: the engine in memory minimises the task's loss.
"""

from autogenome_tf.training._linear._centroid import Centroid
from autogenome_tf.training._linear._cox import Cox
from autogenome_tf.training._linear._discriminant import Discriminant
from autogenome_tf.training._linear._hinge import Hinge
from autogenome_tf.training._linear._pls import PartialLeastSquares
from autogenome_tf.training._linear._solver import LinearRows, LinearSolver, unit_scale

# By the value of `families.linear.loss`.
SOLVERS: dict[str, type[LinearSolver]] = {
    "centroid": Centroid,
    "cox": Cox,
    "discriminant": Discriminant,
    "hinge": Hinge,
    "pls": PartialLeastSquares,
}

__all__ = ["SOLVERS", "LinearRows", "LinearSolver", "unit_scale"]
