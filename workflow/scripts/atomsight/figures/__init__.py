"""The figures: one module each, drawn from plain arrays and tables, all in one style."""
