"""How ambiguous observations are to a classifier in training: areas under the margin of its scores.

AUM(i, k) is the mean over the epochs of sigma_t(k) less the second largest of all probabilities (margin ``second``) or
the largest of another label (margin ``other``); AUMC(i) that of the majority's label; WAUM(i) the mean over the voters
of AUM(i, label voted), weighted by the trust s[i, u] = sum over k of P(k | k, u) sigma_T(k), T the observation's last
epoch, or by the users' weights in the consensus [L24, P20]. A trust below 1e-100 is none; where no vote on an
observation has any, all its votes count alike.

[L24] Lefort, Charlier, Joly, Salmon 2024, Identify ambiguous tasks combining crowdsourced labels by weighting Areas
Under the Margin, Transactions on Machine Learning Research. [P20] Pleiss et al. 2020, Identifying mislabeled data using
the area under the margin ranking, NeurIPS.
"""
