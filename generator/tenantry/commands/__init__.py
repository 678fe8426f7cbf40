"""A workspace goes in, a result comes out: one function a command. They neither print nor exit.

Imports every stage.
"""
