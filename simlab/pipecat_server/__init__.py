"""The published ``pipecat-ai`` as the server of a session. ``choose`` alone does without that package."""
