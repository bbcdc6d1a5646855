"""The pages about oneself: signing in and out, one's sessions, joining, and who else belongs."""
