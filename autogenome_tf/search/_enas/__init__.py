"""Efficient neural architecture search (Pham et al. 2018): a controller and a bank of weights."""
