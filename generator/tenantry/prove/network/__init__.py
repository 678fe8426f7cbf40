"""NetworkPolicies read as Kubernetes reads them, and what they open compared with what is declared."""
