"""How it is written down whether a column was seen at a site."""

#: Seen, not seen, and not known: the site is not in view, or the frame is not used.
SEEN, EMPTY, UNKNOWN = 1, 0, -1
