"""Extremely randomised trees (Geurts et al. 2006): for thresholds, sparse and few genes."""

from typing import Any

from autogenome_tf.families import TreeFamily, integer, limit, word

# Part of the genes among which a node finds its own.
SHARES = {"sqrt": "sqrt", "tenth": 0.1, "third": 1 / 3, "all": 1.0}
# A leaf has at least one row in so many, so that models of many rows stay small.
MOST_LEAVES = 500


class Forest(TreeFamily):
    """Extremely randomised trees (Geurts et al. 2006), fitted by scikit-learn."""

    space = {
        "trees": integer(300, high=10000),
        "max_features": word("sqrt", "tenth", known=tuple(SHARES)),
        "min_leaf": integer(1, 3),
        "most_values": limit(high=10**15),
    }

    @staticmethod
    def estimator(values: dict[str, Any], kind: Any, rows: int) -> Any:
        """Return scikit-learn's extra trees; see `TreeFamily.estimator`."""
        # It takes a second to import, and most commands do not need it.
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        criterion = "poisson" if kind.has_times else "squared_error"
        regressor = ExtraTreesRegressor(criterion=criterion)
        trees = ExtraTreesClassifier() if kind.has_classes else regressor
        return trees.set_params(
            n_estimators=values["trees"],
            max_features=SHARES[values["max_features"]],
            min_samples_leaf=max(values["min_leaf"], rows // MOST_LEAVES),
            n_jobs=-1,
        )
