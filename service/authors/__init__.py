"""What authors do with what they wrote: look at it, change it, withdraw it, have it erased."""
