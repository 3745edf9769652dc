"""What an operator would look for: slow disks, wrong proxies, clocks apart, missing indexes. Each with its cure."""
