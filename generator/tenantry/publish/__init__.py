"""What should be and what is in the working tree go in, changes come out and are written, all or none.

Imports everything up to prove.
"""
