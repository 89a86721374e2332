"""What is on screen: the image, its pixels, its proposal."""
