"""The demo and its hand. Imported by --demo alone."""
