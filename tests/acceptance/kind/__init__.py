"""`make kind`: what a machine without containers can't show, for people with Docker."""
