"""SUP-06: Argo CD's own settings in each cluster, against what the trees rely on."""
