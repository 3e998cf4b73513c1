"""RealMLP (Holzmüller et al. 2024) with its defaults; a fifth of the rows validate the network."""

from exchange import answer, of_networks
from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

if __name__ == "__main__":
    answer(of_networks(RealMLP_TD_Classifier, RealMLP_TD_Regressor))
