"""Platform components that Argo CD installs from Helm charts: IAM-05 (what they may touch) and SUP-07 (what they must be)."""
