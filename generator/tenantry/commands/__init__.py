"""A workspace goes in; a result comes out. There is one function per command; none prints or exits.

Imports every stage.
"""
