"""Alembic's home: one file per version of the schema."""
