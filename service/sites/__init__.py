"""Sites and their pages: who may embed, what the policy is, which address is which thread."""
