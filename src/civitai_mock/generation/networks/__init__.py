"""Networks: what a job puts on top of its model."""
