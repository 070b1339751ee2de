"""How pages are asked for, one after another or ahead."""
