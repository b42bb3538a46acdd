"""What follows from labels, users' weights and shares of candidates: the columns of a consensus."""
