"""Scores of a latent space, beside principal components."""

from autogenome_tf.report._page import Beside, Part, Section, Table, interval, pictures
from autogenome_tf.run import Run

MEANING = {
    "elbo": "lower bound of the log likelihood, nats a sample",
    "reconstruction": "negative log likelihood of the reconstructed sample, nats",
    "kl": "divergence of the latent point from the prior, nats",
    "importance_weighted_bound": "a tighter bound of the log likelihood, nats a sample",
    "active_units": "latent units that vary",
    "explained": "share of the variance that the reconstruction explains",
    "ari": "agreement of k-means clusters with labels; 0 is that of random clusters",
    "nmi": "information that k-means clusters and labels share",
    "hdbscan_ari": "agreement of HDBSCAN's clusters with labels",
    "hdbscan_noise": "share of samples that HDBSCAN leaves alone",
    "silhouette": "how much nearer samples of a label are to each other than to others, -1 to 1",
    "knn_accuracy": "share of samples whose label is that of most of 15 nearest training samples",
    "covariate_knn_accuracy": "the same for the first covariate; low is well mixed",
}
PCA = "pca_"


def section(run: Run) -> Section | None:
    """Return the metrics of each part beside those of components, and maps."""
    if not run.has("metrics.json") or run.config().task.kind.has_targets:
        return None
    scores = run.read_json("metrics.json")
    parts: list[Part] = [
        "Principal components have the same number of dimensions and the same training samples. "
        "Intervals are 95 % bootstrap intervals over samples. Labels, where there are any, were "
        "used for these scores alone."
        if scores
        else "No samples were held out, so there are no scores: see data.split and data.evaluate."
    ]
    for part, own in scores.items():
        names = [name for name in own if not name.startswith(PCA)]
        rows = []
        for name in names:
            beside = own.get(PCA + name)
            rows.append([name, interval(own[name]), interval(beside) if beside else "–"])
            rows[-1].append(MEANING[name])
        head = ["metric", "Res-VAE", "principal components", "meaning"]
        parts.append(Table(head, rows, part, left=(0, 3)))
    parts.append(Beside(pictures(run, "latent")))
    return Section("latent", "Latent space", parts)
