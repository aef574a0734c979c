"""bench/scale: what a handshake costs by the number of things that a terminator knows or holds.

Read in this order: main (options), subject (the terminators and their load), sides (all of it against none), axes (one
dimension after the other), plot (that as a picture), workers (by how many share the work).
"""
