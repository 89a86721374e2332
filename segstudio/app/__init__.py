"""The application without widgets: the Session and its owners. Of Qt, QtCore alone."""
