"""Two states of rendered objects go in, changes of fields come out.

Imports core, runtime, engine and verify.
"""
