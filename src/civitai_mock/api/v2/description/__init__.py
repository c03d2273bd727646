"""The description of v2: the official one as data, what requests are read by, and the echo of inputs."""
