"""Parvis: the software of a city's newcomer integration office."""

__version__ = "0.1.0"
