"""Validated documents come in; immutable entries of the fleet come out.

Imports core.
"""
