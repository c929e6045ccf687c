"""What must not be possible: a file for each item of the OWASP API Security Top 10 (2023)."""
