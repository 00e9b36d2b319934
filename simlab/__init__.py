"""Network impairment and reconnection simulator for WebRTC, under a real and a virtual clock."""
