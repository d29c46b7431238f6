"""How a team's own agent uses Sordino: by one class (``livekit_guarded``), or by base URL alone (the others). Copy and change."""
