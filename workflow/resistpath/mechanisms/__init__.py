"""What a way to resist checkpoint inhibition is, and how its readouts become a verdict."""
