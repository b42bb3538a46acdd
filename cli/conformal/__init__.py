"""The commands ``plant-aggregate conformal ...``, a file each."""
