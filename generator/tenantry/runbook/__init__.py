"""Instances come in; what to do in an incident comes out, with the names, promises and people of one tenant.

Imports everything up to change.
"""
