"""Networks (LoRA and the like) change what a model draws: their kinds, and how a request asks for them."""
