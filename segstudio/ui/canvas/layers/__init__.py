"""What lies above the image and its labels: a module a layer."""
