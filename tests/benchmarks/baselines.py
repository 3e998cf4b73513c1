"""What other methods are measured with: scikit-learn's models, and the scores.

A model takes the rows as they are: missing values become the means of training rows, and columns
are standardised, inside it. Models whose penalty is the squared length of the coefficients are then
rotated into the span of the training rows: the same model, in seconds for 20,000 genes too.
"""

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC, LinearSVR

SCORES = {"classification": balanced_accuracy_score, "regression": r2_score}
FOLDS = 5
COMPONENTS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30)


def linear(task):
    """Logistic or ridge regression, its penalty by inner cross-validation."""
    if task == "regression":
        return _standardised(RidgeCV(np.logspace(-2, 6, 33)))
    model = LogisticRegressionCV(
        Cs=np.logspace(-4, 2, 7),
        l1_ratios=(0,),
        max_iter=1000,
        scoring="neg_log_loss",
        use_legacy_attributes=False,
    )
    return _rotated(model)


def lda_or_pls(task, shape, seed):
    """Shrinkage discriminant analysis, or partial least squares with components by inner folds."""
    rows, genes = shape
    if task == "regression":
        most = min(rows * (FOLDS - 1) // FOLDS - 1, genes)
        components = [count for count in COMPONENTS if count <= most]
        return _standardised(_searched(PLSRegression(), "n_components", components, task, seed))
    lda = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=LedoitWolf(genes))
    return _rotated(lda)


def svm(task, seed):
    """Linear support vector machine, its C by inner folds."""
    penalties = np.logspace(-6, 1, 8)
    if task == "classification":
        model = LinearSVC(dual="auto", max_iter=5000, random_state=seed)
        return _rotated(_searched(model, "C", penalties, task, seed))
    model = LinearSVR(epsilon=0.1, max_iter=5000, random_state=seed)
    searched = _searched(model, "C", penalties, task, seed)
    return _rotated(TransformedTargetRegressor(searched, transformer=StandardScaler()))


def forest(task, seed):
    """500 trees; a regression tree looks at a third of the columns for a split."""
    options = {"n_estimators": 500, "n_jobs": 2, "random_state": seed}
    if task == "classification":
        return _standardised(RandomForestClassifier(**options))
    return _standardised(RandomForestRegressor(max_features=1 / 3, **options))


def constant(task):
    """The largest class or the mean of training rows."""
    return DummyClassifier() if task == "classification" else DummyRegressor()


class LedoitWolf:
    """Ledoit and Wolf's (2004) covariance of many genes from coordinates in the rows' span.

    It shrinks to a multiple of the identity, so discriminants lie in the span of the rows and a
    rotation into it changes nothing, but for the number of genes, which is given.
    """

    def __init__(self, genes):
        self.genes = genes

    def fit(self, x):
        """Set `covariance_` from (rows, coordinates)."""
        centred = x - x.mean(0)
        covariance = centred.T @ centred / len(x)
        mean = np.trace(covariance) / self.genes
        norm = (covariance**2).sum()
        fourth = ((centred**2).sum(1) ** 2).mean()
        distance = norm / self.genes - mean**2
        error = min((fourth - norm) / (self.genes * len(x)), distance)
        share = error / distance if distance > 0 else 0.0
        self.covariance_ = (1 - share) * covariance + share * mean * np.eye(len(covariance))
        return self


def _standardised(*steps):
    fill = SimpleImputer(keep_empty_features=True)
    return make_pipeline(fill, StandardScaler(), *steps)


def _rotated(*steps):
    return _standardised(PCA(svd_solver="full"), *steps)


def _searched(model, name, values, task, seed):
    kind = StratifiedKFold if task == "classification" else KFold
    scoring = {"classification": "balanced_accuracy", "regression": "r2"}[task]
    inner = kind(FOLDS, shuffle=True, random_state=seed)
    return GridSearchCV(model, {name: values}, scoring=scoring, cv=inner)
