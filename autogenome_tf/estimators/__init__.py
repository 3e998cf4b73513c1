"""scikit-learn estimators around the same search and networks: for pipelines and cross-validation.

A run folder is made for the time of `fit` only; what stays is the fitted model.
"""

from autogenome_tf.estimators._latent import ResVAE
from autogenome_tf.estimators._survival import AutoGenomeSurvival
from autogenome_tf.estimators._targets import AutoGenomeClassifier, AutoGenomeRegressor

__all__ = ["AutoGenomeClassifier", "AutoGenomeRegressor", "AutoGenomeSurvival", "ResVAE"]
