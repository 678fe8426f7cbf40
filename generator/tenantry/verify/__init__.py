"""Judges rendered objects: schemas, operators' own rules, references. Reads the objects only, never how they were made."""
