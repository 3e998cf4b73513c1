"""FLAML; missing values become the means of training rows, as not all of its learners take them."""

from exchange import answer, filled
from flaml import AutoML
from sklearn.metrics import balanced_accuracy_score


def imbalance(x, truth, estimator, labels, *others, **more):
    """One minus balanced accuracy, as FLAML asks for a metric of one's own."""
    loss = 1 - balanced_accuracy_score(truth, estimator.predict(x))
    return loss, {"loss": loss}


def predict(task, train, truth, test, seconds, seed):
    """Search for the time given and predict."""
    train, test = filled(train, test)
    model = AutoML()
    model.fit(
        train,
        truth,
        task=task,
        metric=imbalance if task == "classification" else "r2",
        time_budget=seconds,
        n_jobs=2,
        seed=seed,
        verbose=0,
    )
    if model.best_estimator is None or model.model is None:
        raise SystemExit("FLAML has no model within its time")
    return model.predict(test)


if __name__ == "__main__":
    answer(predict)
