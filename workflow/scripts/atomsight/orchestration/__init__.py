"""What the rules call: the sample sheet, targets, resources, Slurm. Neither Keras nor abTEM."""
