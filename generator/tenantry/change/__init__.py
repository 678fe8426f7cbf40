"""Two states of a fleet's inputs come in; what the change means comes out: for whom, at what risk and cost, in which order.

Imports everything up to diff.
"""
