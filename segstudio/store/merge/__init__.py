"""Two projects into one."""
