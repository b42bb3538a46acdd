"""Recorders: what a model says of the observations while it is trained, as files that the commands read.

``torch.py`` is the recorder for PyTorch; ``lightning.py`` and ``transformers.py`` call it from their training loops.
"""
