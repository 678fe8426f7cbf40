"""Traefik's routes: which requests each matches, and what protects it."""
