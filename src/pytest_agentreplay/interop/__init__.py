"""Foreign documents in and out: one importer for each family of transcripts.

An importer turns bytes into traces and says what it found odd. Nothing here
reads or writes files, redacts, or knows of the command line.
"""
