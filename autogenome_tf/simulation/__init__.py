"""Planted truth: expression with informative genes, pathways, fitness landscapes, contigs."""
