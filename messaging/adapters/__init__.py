"""Undocumented names of libraries that messaging uses: one file a library.

Nothing else in messaging does (tests/test_adapters.py). Each file names the releases that it was
tried with; with any other its library is used as it documents itself.
"""
