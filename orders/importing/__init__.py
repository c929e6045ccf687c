"""Placing many orders at once, from a file, a request or another database."""
