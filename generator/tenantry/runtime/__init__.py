"""What a run stands on: the fleet's folder, state between runs, listings of the trees, git, further processes.

Imports core.
"""
