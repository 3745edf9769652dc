"""How the queue is doing: how long comments wait, who decides how much, and what was decided otherwise later."""
