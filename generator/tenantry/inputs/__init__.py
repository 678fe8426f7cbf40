"""Files come in; a fleet of entries with the position of each value, and findings, come out.

Imports core, runtime and model.
"""
