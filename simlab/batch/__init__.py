"""From a scenario to a finished run, and many of them: in this process, or in several."""
