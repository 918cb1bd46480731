"""What is wrong with a project and its databases, and what an error that Django or a driver printed means here."""
