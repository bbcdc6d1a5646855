"""Reading gifts: frozen views, never rows."""
