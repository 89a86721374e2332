"""What benchmarks/fine_tune.py compares: our learners, a forest on filters, a plain recipe, and their common sets."""

import os

# Read when torch is loaded. A thread of OpenMP that waits must not spin: with one core busy elsewhere a step of the
# plain recipe took twenty times as long. The engine's own process is started so too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
