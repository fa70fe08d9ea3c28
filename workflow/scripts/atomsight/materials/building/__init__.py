"""What generators of structures share: sheets with two sublattices, covers, supports."""
