"""Installing a kit, and removing what was installed. It runs in the kit, on the machine's own Python.

Each installation has a folder of its own below the program's, made where it stays. The command in the user's folder of
commands is a link into the one that is used; changing that link is the whole of an upgrade, and comes last: whatever
fails or is killed before leaves what was there as it was.
"""
