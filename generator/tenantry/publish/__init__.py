"""The wanted and the actual state of the working tree go in; changes come out and are written, all or none.

Imports everything up to prove.
"""
