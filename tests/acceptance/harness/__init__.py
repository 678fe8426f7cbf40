"""What the parts stand on: programs, namespaces, processes, a control plane, the rendered objects."""
