"""A real cluster on this machine: kubelets, containers, an enforced network, and the checks that run on it."""
