"""How fast simlab is: ``make bench``."""
