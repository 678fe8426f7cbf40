"""Proofs: whether the rendered objects of a fleet keep the controls. Reads objects and promises, never how they were made."""
