"""The open set of search methods: a file here is a method that configs can name."""
