"""Routes of Traefik: what each takes, and what guards it."""
