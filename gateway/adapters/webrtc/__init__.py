"""A browser as a call's media leg (``leg.py``). Needs the extra ``webrtc`` (aiortc); ``sdp.py`` alone needs nothing."""
