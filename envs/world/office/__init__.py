"""ACB/Desk-v0: an office day of files, tickets and mail, worked through in a text terminal."""
