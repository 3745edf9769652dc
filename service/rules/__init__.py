"""What a site decides in advance: whom and what it blocks, holds, trusts, or shows to its own author alone."""
