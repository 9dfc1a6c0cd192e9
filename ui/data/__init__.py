"""What the Data page draws."""
