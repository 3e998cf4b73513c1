"""Coordinate search, AutoGenome's own: one hyperparameter after the other from a starting point."""

from autogenome_tf import metrics
from autogenome_tf.search._trials import otherwise


def proposer(spaces, config, *_):
    """Propose the first value of every hyperparameter, then change one at a time."""
    return Coordinates(spaces, metrics.HIGHER_IS_BETTER[config.objective])


class Coordinates:
    """Walks along one dimension after the other and goes on from the best value of each.

    Args:
        spaces: Family name to its search space, whose first options are the starting point;
            families come one after the other.
        is_higher_better: Of the objective.
    """

    def __init__(self, spaces, is_higher_better):
        self._sign = 1 if is_higher_better else -1
        self._told = float("-inf")
        self._walk = self._steps(spaces)

    def close(self):
        """Nothing is left behind."""

    def propose(self):
        """The next proposal: nothing to remember it by, the family, its values, no epochs.

        Returns:
            The four, or None behind the last dimension of the last family.
        """
        return next(self._walk, None)

    def recall(self, *_):
        """Refuse to go on from other proposals than its own."""
        raise otherwise()

    def tell(self, _, score):
        """Report the score of what was proposed last, or None for a failure."""
        self._told = float("-inf") if score is None else self._sign * score

    def _steps(self, spaces):
        for family, space in spaces.items():
            best = {name: hyper.options[0] for name, hyper in space.items()}
            yield None, family, best, None
            highest = self._told
            for name, hyper in space.items():
                for value in hyper.options[1:]:
                    tried = best | {name: value}
                    yield None, family, tried, None
                    if self._told > highest:
                        best, highest = tried, self._told
