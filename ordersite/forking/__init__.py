"""Starts every process of the pipeline by forking one that has imported the libraries."""
