"""Publishing of runs: written to a folder of their own, then published in one step."""
