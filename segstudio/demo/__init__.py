"""The demo and the hand of its simulated person. Only --demo imports it."""
