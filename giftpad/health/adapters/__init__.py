"""The rails as the relay sees them, and the form in which Prometheus reads figures."""
