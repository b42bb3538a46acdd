"""Training, validation and test sets by hashing, classes, and genus sampling: additions move nothing."""
