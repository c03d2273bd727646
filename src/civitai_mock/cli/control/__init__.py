"""Commands that speak to the control plane of a running server, by HTTP. Nothing that serves imports them."""
