"""SegStudio: label images with a network that learns from your corrections while you paint."""

__version__ = "0.1.0"
