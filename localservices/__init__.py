"""Starts the system on one machine: a private MongoDB, a private RabbitMQ, and every process.

`make run`, the tests and the drills all start their services through this package; the pipeline
itself never imports it.
"""
