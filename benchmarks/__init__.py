"""Time, memory, accuracy and behaviour of plant-aggregate, measured: programs to call from the checkout, by ``-m``."""
