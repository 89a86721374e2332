"""Files become pixels: sources, readers by family, display levels, reduced levels and hashes. No labels, no Qt."""
