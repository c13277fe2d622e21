"""What is done before the service runs: `make train`."""
