"""From vendor files to atoms: frames, class maps, segments."""
