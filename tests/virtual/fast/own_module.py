"""A module with a source, which a piece may have been written for."""
