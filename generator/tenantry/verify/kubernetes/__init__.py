"""Kubernetes' own kinds: what the API server refuses, and references between objects."""
