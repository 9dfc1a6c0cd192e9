"""What learned vectors have to say: names of axes, lengths and spectra, directions, neighbours, maps, tables to take along."""
