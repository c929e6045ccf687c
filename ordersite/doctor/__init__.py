"""The doctor compares what is declared with what is there, and names the command that fixes it.

It only reads; the operator decides.
"""
