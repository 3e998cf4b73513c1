"""Harmony with its defaults; rows.npz (points, batches) in, latent.npy out."""

import sys

import harmonypy
import numpy as np
import pandas as pd

if __name__ == "__main__":
    with np.load("rows.npz") as rows:
        points, batches = rows["points"], rows["batches"]
    frame = pd.DataFrame({"batch": batches})
    found = harmonypy.run_harmony(points, frame, "batch", random_state=int(sys.argv[1])).Z_corr
    np.save("latent.npy", found if len(found) == len(points) else found.T)
