"""Tests of app/ingest, one part at a time."""
