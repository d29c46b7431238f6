"""A SIP trunk without a vendor: calls from a session border controller on a private network, by SIP (RFC 3261), RTP (RFC 3550).

Needs ``aiosipua`` and ``aiortp`` (``pip install 'sordino[sip]'``).
"""
