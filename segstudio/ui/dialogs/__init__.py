"""Pages and panels that ask for more than a click, such as making a project or exporting; never modal."""
