"""Where opinions come from: one module for each source, all behind the port `core.ports.Source`."""
