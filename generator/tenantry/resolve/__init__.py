"""A fleet comes in; instances with every value resolved, and the origin of each value, come out.

Imports core, model and inputs.
"""
