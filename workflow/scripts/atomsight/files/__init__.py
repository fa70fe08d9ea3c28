"""Files of ours: whole or not there, sealed, and telling where they come from."""
