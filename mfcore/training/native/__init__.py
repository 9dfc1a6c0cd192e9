"""One rating at a time at native speed: gradients derived by hand, compiled by Numba. Without numba nothing here is used."""
