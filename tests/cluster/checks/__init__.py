"""What is tried on the cluster; each refusal beside the same thing allowed."""
