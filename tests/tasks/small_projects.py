"""What the small projects of these tests have in common."""

SIZE = (40, 30)
"""Width and height of every picture."""

CLASSES = ("background:#101010:background", "leaf:#E69F00", "cell:#56B4E9:instance", "blur::ignore")
