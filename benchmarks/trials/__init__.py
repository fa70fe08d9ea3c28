"""What faults.py needs to make something break and to see what becomes of it."""
