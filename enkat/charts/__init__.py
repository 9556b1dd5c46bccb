"""Charts of what is published: `series` puts cells in order on an axis, `grammar` draws them. They never fetch."""
