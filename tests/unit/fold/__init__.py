"""How alerts become incidents."""
