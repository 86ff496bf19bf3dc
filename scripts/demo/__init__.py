"""The demo: the whole loop on one machine, with nothing installed."""
