"""Labels from plane to plane of a stack."""
