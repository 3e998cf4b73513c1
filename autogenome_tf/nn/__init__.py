"""Keras layers, vectorized networks, the Res-VAE and its likelihoods, and their mathematics."""
