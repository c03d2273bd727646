"""ControlNets, which let images guide the drawing: how a request asks for them, and their resources and nodes."""
