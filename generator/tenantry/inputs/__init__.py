"""Files go in, a fleet of entries with a table of positions, and findings, come out.

Imports core, runtime and model.
"""
