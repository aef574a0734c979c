"""bench/compare: Portcullis and other servers under the same load, one beside the other.

Read in this order: main (what is run), schedule (how long that takes), variants (what one sample is), peers and
terminator (who is measured), summary (what the samples come to), markdown and page (how that is shown).
"""
