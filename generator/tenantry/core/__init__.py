"""Shared vocabulary of all stages: findings, codes, controls, objects and their file names.

Imports no other package.
"""
