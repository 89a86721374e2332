"""A module a family of image files; `table` lists them."""
