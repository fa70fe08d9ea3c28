"""The page that figures are drawn for."""

#: Width of a page of a journal [inch].
WIDTH = 7.1
