"""The review queue as a web page: the desk behind HTTP, for people who signed in, on a loopback port."""
