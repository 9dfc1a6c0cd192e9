"""What the documents this project grew from measured, measured again."""
