"""The objects of all clusters and a loss come in; who is hit, and how each goes on, comes out.

Imports everything up to change.
"""
