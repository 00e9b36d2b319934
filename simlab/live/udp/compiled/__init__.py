"""The loop of the packets once more, compiled by numba, for links that a ``StraightLink`` can stand in for.

Optional: without numba (``pip install simlab[fast]``), everything goes the way of ``simlab.live.udp.loop``.
"""
