"""What strategies are made of."""
