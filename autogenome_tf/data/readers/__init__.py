"""The open set of readers: a file here reads one kind of file."""
