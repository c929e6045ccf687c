"""Pages of the documentation that are made from the code: settings, commands, routes, events."""
