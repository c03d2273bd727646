"""What is asked of a simulated fleet: what it is made of, its pods, what it has cost, and what statuses say of it."""
