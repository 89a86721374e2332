"""What asks for more than a click: making a project, exporting. In place, beside the image, never modal."""
