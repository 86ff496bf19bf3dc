"""What the sources read, and what they do not choke on."""
