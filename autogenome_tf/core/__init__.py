"""Errors, seeds, atomic files, matrices larger than memory: what every other room rests on."""

__version__ = "0.1.0"
