"""What the Home page draws."""
