"""Validated documents go in, frozen entries of the fleet come out.

Imports core.
"""
