"""Fakes of model servers: real HTTP, scripted answers, no model."""
