"""What every process needs: waiting, stopping, connections, transactions, reading requests."""
