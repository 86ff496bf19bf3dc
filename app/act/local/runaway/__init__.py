"""End the one process that runs away: measured, known again, by a pidfd."""
