"""Labels as scientific names: one spelling for each, and none where no species is named."""
