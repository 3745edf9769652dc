"""Events for integrators: an outbox in the same transaction as the change, released in order."""
