"""Pages of whoever runs the installation; people of the platform only."""
