"""A fleet goes in, instances with every value settled, and the origin of each, come out.

Imports core, model and inputs.
"""
