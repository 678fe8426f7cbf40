"""Two states of rendered objects go in; changed fields come out.

Imports core, runtime, engine and verify.
"""
