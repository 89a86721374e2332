"""A person who corrects proposals, simulated on a clock of its own: see `benchmarks/simulated_annotator.py`."""
