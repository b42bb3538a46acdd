"""What training and other tools read, written from a published run: a file each."""
