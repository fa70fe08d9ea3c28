"""What ``speed.py`` measures: each case in a process of its own, told when to run."""
