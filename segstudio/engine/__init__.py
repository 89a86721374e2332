"""The engine process: messages, the client that starts and talks to it, the server that runs inside it."""
