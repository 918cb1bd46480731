"""The Django side: settings, the app registry, database backends, and the management command."""
