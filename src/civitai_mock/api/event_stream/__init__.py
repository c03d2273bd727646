"""The stream of events over HTTP: as server-sent events and by WebSockets; it is loaded for the first stream."""
