"""The panels around the canvas. Each listens only to the session; none knows another."""
