"""The one way out: where deliveries may go, and the connection that takes them there."""
