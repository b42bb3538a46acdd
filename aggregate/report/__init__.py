"""Charts: functions that return matplotlib figures, for reports and notebooks."""
