"""Access: who may come in, by password, OIDC, token or from this machine."""
