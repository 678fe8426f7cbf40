"""Objects of all clusters and the promises of the inputs go in; breaches of controls come out.

Imports everything up to verify.
"""
