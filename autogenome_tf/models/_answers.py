"""The named results that clients of a served model get, by signature."""

# How a result is made of the Keras model's outputs: by their softmax, by the class of the largest,
# or as the output of a name ("" is the only output); of log-risks, by the baseline hazard as
# survival at some times.
SOFTMAX, CLASS, ONLY, SURVIVAL, RISK = "softmax", "class", "", "survival", "risk"

# By the task's type, signature and name of the result.
ANSWERS: dict[str, dict[str, dict[str, str]]] = {
    "classification": {
        "serving_default": {"probabilities": SOFTMAX, "prediction": CLASS},
        "logits": {"logits": ONLY},
    },
    "regression": {"serving_default": {"prediction": ONLY}},
    "survival": {"serving_default": {"risk": RISK, "survival": SURVIVAL}},
    "representation": {
        "serving_default": {"latent": "latent", "reconstruction": "reconstruction"},
        "encoder": {"latent": "latent", "log_variance": "log_variance"},
    },
}
