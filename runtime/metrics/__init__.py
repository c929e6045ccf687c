"""What one process counts as it works, for Prometheus."""
