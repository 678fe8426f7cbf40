"""Evaluates NetworkPolicies as Kubernetes does, and compares what they open with what is declared."""
