"""Instances go in, texts of bases and overlays, and the input that decided a value, come out.

Imports everything up to plan.
"""
