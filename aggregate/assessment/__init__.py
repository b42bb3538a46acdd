"""What reads votes, a consensus or its evidence, and judges it; touches no file."""
