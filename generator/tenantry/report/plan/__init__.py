"""A plan, in each format: text, Markdown and HTML over the same lines."""
