"""Recordings of calls: their file format, the encrypted file that grows with the call, and the places where they are kept."""
