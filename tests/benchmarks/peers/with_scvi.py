"""scVI by its defaults, the batch as key; rows.npz (counts, batches) in, latent.npy out."""

import sys

import anndata
import numpy as np
import pandas as pd
import scvi

if __name__ == "__main__":
    seed, dimensions = map(int, sys.argv[1:])
    with np.load("rows.npz") as rows:
        counts, batches = rows["counts"].astype("float32"), rows["batches"]
    scvi.settings.seed = seed
    names = [str(row) for row in range(len(counts))]
    data = anndata.AnnData(counts, pd.DataFrame({"batch": batches}, index=names))
    scvi.model.SCVI.setup_anndata(data, batch_key="batch")
    model = scvi.model.SCVI(data, n_latent=dimensions)
    model.train(accelerator="cpu", enable_progress_bar=False)
    np.save("latent.npy", model.get_latent_representation())
