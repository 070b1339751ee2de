"""What goes on the wire and comes from it: encoding, decoding, bodies."""
