"""What a search survives: faults made on purpose, and what they cost; `python -m benchmarks.reliability`."""
