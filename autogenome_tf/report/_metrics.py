"""Metrics as people write them: usual names, meanings, and percentages for shares of samples."""

from autogenome_tf.core.files import on_a_line
from autogenome_tf.metrics import of_target
from autogenome_tf.report._page import interval

# Before the keys of metrics of principal components, and of those after ComBat.
PCA, COMBAT = "pca_", "combat_"
LOWER = "; lower is better"
# Key of metrics.json to the usual name.
NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "F1 (macro)",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "r2": "R²",
    "pearson": "Pearson r",
    "spearman": "Spearman rho",
    "rmse": "RMSE",
    "mae": "MAE",
    "partial_log_likelihood": "partial log-likelihood",
    "hazard_log_likelihood": "hazard log-likelihood",
    "concordance": "concordance (Harrell's C)",
    "concordance_uno": "concordance (Uno's C)",
    "auc_q25": "dynamic AUC, first quartile",
    "auc_median": "dynamic AUC, median",
    "auc_q75": "dynamic AUC, third quartile",
    "brier": "integrated Brier score",
    "brier_ratio": "Brier score over Kaplan-Meier's",
    "d_calibration": "D-calibration gap",
    "skill": "skill",
    "elbo": "ELBO",
    "reconstruction": "reconstruction",
    "kl": "KL divergence",
    "importance_weighted_bound": "importance-weighted bound",
    "active_units": "active units",
    "explained": "explained variance",
    "ari": "ARI",
    "nmi": "NMI",
    "hdbscan_ari": "ARI of HDBSCAN",
    "hdbscan_noise": "noise of HDBSCAN",
    "silhouette": "silhouette",
    "knn_accuracy": "k-NN accuracy",
    "covariate_knn_accuracy": "k-NN accuracy of the covariate",
    "imputed_deviance": "deviance of imputed counts",
    "imputed_error": "error of imputed values",
    "label_accuracy": "accuracy of predicted labels",
    "labels_held_out": "samples with a label",
    "scib_nmi": "scIB: NMI",
    "scib_ari": "scIB: ARI",
    "scib_leiden_nmi": "scIB: NMI, Leiden",
    "scib_leiden_ari": "scIB: ARI, Leiden",
    "scib_silhouette_label": "scIB: silhouette of labels",
    "scib_clisi": "scIB: cLISI",
    "scib_isolated_labels": "scIB: isolated labels",
    "scib_bras": "scIB: BRAS",
    "scib_ilisi": "scIB: iLISI",
    "scib_kbet": "scIB: kBET by label",
    "scib_graph_connectivity": "scIB: graph connectivity",
    "scib_pcr": "scIB: principal-component regression",
    "scib_bio": "scIB: biology",
    "scib_batch": "scIB: batch correction",
    "scib_total": "scIB: total",
}
MEANINGS = {
    "accuracy": "share of samples predicted correctly",
    "balanced_accuracy": "mean over classes of the share of samples predicted correctly",
    "f1_macro": "harmonic mean of precision and recall, mean over classes",
    "mcc": "Matthews correlation coefficient: 0 is guessing, 1 is without error",
    "roc_auc": "probability that a sample of a class ranks above a sample of another, mean over "
    "classes: 0.5 is guessing",
    "log_loss": "mean of -ln of the probability given to the true class" + LOWER,
    "r2": "share of the variance explained: 0 is predicting the mean, 1 is without error",
    "pearson": "linear correlation of predicted and true values",
    "spearman": "correlation of the ranks of predicted and true values",
    "rmse": "root mean squared error, in the target's units" + LOWER,
    "mae": "mean absolute error, in the target's units" + LOWER,
    "partial_log_likelihood": "mean over events of ln of the share of the risk in the sample that "
    "has the event, less that of equal risks: 0 is guessing",
    "hazard_log_likelihood": "mean over samples of the log-likelihood of the bins of time, less "
    "that of the same hazards for all samples: 0 is guessing",
    "concordance": "share of comparable pairs in which the earlier event has the higher risk: 0.5 "
    "is guessing (under proportional hazards Antolini's C is the same)",
    "concordance_uno": "the same, corrected for censoring",
    "auc_q25": "area under the ROC curve of events until the first quartile of the times of "
    "events: 0.5 is guessing",
    "auc_median": "the same until their median",
    "auc_q75": "the same until their third quartile",
    "brier": "mean squared error of survival probabilities over time, corrected for "
    "censoring" + LOWER,
    "brier_ratio": "1 is predicting the survival curve of all samples" + LOWER,
    "d_calibration": "share of samples in the wrong tenth of predicted survival: 0 is "
    "calibrated" + LOWER,
    "skill": "mean over targets of 1 - loss / loss without genes (of numbers R², of classes by the "
    "log loss): 0 is knowing no gene, 1 is without error",
    "elbo": "evidence lower bound: lower bound of the log likelihood, nats per sample",
    "reconstruction": "negative log likelihood of the reconstructed sample, nats" + LOWER,
    "kl": "divergence of the latent distribution from the prior, nats",
    "importance_weighted_bound": "a tighter lower bound of the log likelihood, nats per sample",
    "active_units": "number of latent units that vary between samples",
    "explained": "share of the variance that the reconstruction explains",
    "ari": "adjusted Rand index of k-means clusters and labels: 0 is random, 1 is identical",
    "nmi": "normalised mutual information of k-means clusters and labels",
    "hdbscan_ari": "adjusted Rand index of HDBSCAN clusters and labels",
    "hdbscan_noise": "share of samples that HDBSCAN puts into no cluster",
    "silhouette": "separation of labels in the latent space, -1 to 1",
    "knn_accuracy": "share of samples whose label is that of most of their 15 nearest training "
    "samples",
    "covariate_knn_accuracy": "the same for the first covariate; low means that it is well mixed",
    "imputed_deviance": "Poisson deviance of one half of a sample's molecules from what the other "
    "half lets expect: 1 is the mean of each gene" + LOWER,
    "imputed_error": "the same as squared error of log-normalised values" + LOWER,
    "label_accuracy": "share of samples whose label the classifier on the latent space predicts",
    "labels_held_out": "number of samples whose labels score; none of these was used in training",
    "scib_nmi": "normalised mutual information of labels and k-means clusters of these samples",
    "scib_ari": "adjusted Rand index of labels and k-means clusters of these samples",
    "scib_leiden_nmi": "mutual information with Leiden clusters at the best of ten resolutions",
    "scib_leiden_ari": "adjusted Rand index of these clusters",
    "scib_silhouette_label": "separation of labels, 0 to 1",
    "scib_clisi": "1: the neighbours of a sample have one label",
    "scib_isolated_labels": "silhouette of the labels that the fewest batches have, 0 to 1",
    "scib_bras": "silhouette of batches within a label: 1 is mixed",
    "scib_ilisi": "0: the neighbours of a sample are of one batch; 1: of all batches alike",
    "scib_kbet": "share of samples whose neighbours have the batches of their label",
    "scib_graph_connectivity": "share of the samples of a label that neighbours connect",
    "scib_pcr": "share by which batches explain less variance than in principal components",
    "scib_bio": "mean of the figures of scIB that labels judge, without those of Leiden",
    "scib_batch": "mean of the figures of scIB that batches judge",
    "scib_total": "0.6 biology + 0.4 batch correction",
}
SHARES = {
    "accuracy", "balanced_accuracy", "explained", "hdbscan_noise", "knn_accuracy",
    "covariate_knn_accuracy", "coverage", "label_accuracy",
}  # fmt: skip


def name_of(key: str) -> str:
    """Return the usual name of a metric; one of several targets has its target before it.

    Args:
        key: Key of metrics.json.

    >>> name_of("log_loss"), name_of("os.days.r2")
    ('log loss', 'os.days: R²')
    """
    target, own = of_target(key)
    return f"{on_a_line(target)}: {NAMES[own]}" if target else NAMES[own]


def meaning_of(key: str) -> str:
    """Return the meaning of a metric, of whichever target.

    Args:
        key: Key of metrics.json.
    """
    return MEANINGS[of_target(key)[1]]


def measured(name: str, metric: dict | None) -> str:
    r"""Return a metric with its 95 % interval; shares of samples as percentages.

    Args:
        name: Key of metrics.json.
        metric: {"value", "low", "high"}; None where it was not computed.

    >>> measured("accuracy", {"value": 0.85, "low": 0.7928, "high": 0.907})
    '85.0\xa0% (79.3 to 90.7)'
    """
    is_share = of_target(name)[1].removeprefix(PCA) in SHARES
    if not is_share or metric is None or metric["value"] is None:
        return interval(metric)
    value, low, high = (f"{100 * metric[key]:.1f}" for key in ("value", "low", "high"))
    return f"{value}\u00a0% ({low} to {high})"


def difference(name: str, apart: dict) -> str:
    """Return a difference of two models with its 95 % interval; of shares in percentage points.

    Args:
        name: Key of metrics.json.
        apart: {"value", "low", "high"}.

    >>> difference("accuracy", {"value": 0.014, "low": -0.02, "high": 0.05})
    '+1.4 points (-2.0 to +5.0)'
    """
    if apart["value"] is None:
        return "–"
    factor, digits, unit = (100, 1, " points") if of_target(name)[1] in SHARES else (1, 3, "")
    value, low, high = (f"{factor * apart[key]:+.{digits}f}" for key in ("value", "low", "high"))
    return f"{value}{unit} ({low} to {high})"
