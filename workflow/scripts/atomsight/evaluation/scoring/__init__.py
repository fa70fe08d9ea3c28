"""Scores of one series against its known truth; every module is a kind of score.py."""
