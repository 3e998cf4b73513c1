"""TabM (Gorishniy et al. 2025) with its defaults; a fifth of the rows validate the network."""

from exchange import answer, of_networks
from pytabkit import TabM_D_Classifier, TabM_D_Regressor

if __name__ == "__main__":
    answer(of_networks(TabM_D_Classifier, TabM_D_Regressor))
