"""What each command that changes migration files wants, and the one pipeline that all of them take."""
