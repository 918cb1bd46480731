"""From a wanted change of migration files to bytes on disk: the proposal, and the commit that writes all or nothing."""
