"""How many calls may begin in a while, and be in progress at once, counted over all workers."""
