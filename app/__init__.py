"""Smokejumper: the on-call responder that lands on an alert first."""
