"""Dynamics: from columns found in single frames to sites followed over a series.

Drift between the frames, the sites where columns are seen and the frames in which they are, the
substrate that is left out, and the rates at which sites fill and empty. A *column* is what is found
in one frame, a *site* a place in the coordinates of the reference, the first frame that is used.
"""
