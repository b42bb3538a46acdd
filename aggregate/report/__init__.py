"""Charts: functions that return a figure, for pages and notebooks."""
