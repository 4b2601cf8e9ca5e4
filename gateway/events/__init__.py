"""What the backend is told, and asked."""
