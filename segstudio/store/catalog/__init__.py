"""What a project has: images, files, classes, versions, the split."""
