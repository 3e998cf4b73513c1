"""RealMLP (Holzmüller et al. 2024) with its defaults; a fifth of the rows validate the network."""

from exchange import answer, filled
from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor


def predict(task, train, truth, test, seconds, seed):
    """Train, for as long as the defaults ask, and predict."""
    train, test = filled(train, test)
    kind = RealMLP_TD_Classifier if task == "classification" else RealMLP_TD_Regressor
    model = kind(random_state=seed, device="cpu", n_threads=2)
    return model.fit(train, truth).predict(test)


if __name__ == "__main__":
    answer(predict)
