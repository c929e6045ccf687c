"""Measures the pipeline beside its peers: `make bench`, or `python -m benchmarks --help`."""
