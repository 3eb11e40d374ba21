"""Drivers: everything that turns a device, a file or a script into frames and sound."""
