"""How fast deliveries are accepted, beside echoes that keep nothing."""
