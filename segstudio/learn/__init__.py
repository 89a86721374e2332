"""Learning with torch: facts, plan, sampling, networks, losses, loop, gate, prediction, weights.

Imported by the engine process only; the window and the command line never load torch.
"""
