"""The relay as a tool: any UDP program's packets, through the two links of a profile.

The packets have a process of their own (``process``) without any async library: a loop around poll, which
nothing else can hold up. Its parent (``engine``) checks what is wanted of it, so that it gets nothing but
what it can do.
"""
