"""The console: the web pages, first client of the API."""
