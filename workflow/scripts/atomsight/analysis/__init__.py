"""What the atoms tell: strain, bonds, heights of columns, dynamics."""
