"""What to do, one module for each part of the service."""
