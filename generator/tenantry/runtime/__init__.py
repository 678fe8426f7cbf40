"""The environment of a run: the fleet's folder, state between runs, listings of the trees, git, worker processes.

Imports core.
"""
