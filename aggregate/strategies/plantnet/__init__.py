"""The Pl@ntNet estimator, Algorithm 1 of Lefort et al. (2025)."""
