"""What runs jobs on a simulated fleet; it is loaded by who has one."""
