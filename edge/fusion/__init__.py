"""Observations become a rolling picture of the class."""
