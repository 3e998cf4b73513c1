"""Planted truth: expression with informative genes, pathways, landscapes, contigs, reads."""
