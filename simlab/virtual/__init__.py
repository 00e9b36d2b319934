"""The virtual clock: the real aiortc stack in one process, in no time, the same bytes from the same seed."""
