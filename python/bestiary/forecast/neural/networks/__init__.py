"""
The networks, as Equinox modules on standardised samples. These modules import JAX at their head.
"""
