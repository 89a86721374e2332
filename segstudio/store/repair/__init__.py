"""A damaged project: what is left of it, proven by two witnesses, in a new database."""
