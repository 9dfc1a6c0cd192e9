"""A run to take along: archive, card, command, script."""
