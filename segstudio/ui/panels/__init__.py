"""The panels around the canvas. Each listens to the Session alone; none knows another."""
