"""The twenty models of five public documents: trained again, compared, written down.

`python -m reproduction` (or `make reproduce`) does it all and writes docs/reproduction.md and
docs/reproduction.json. It uses Bakeoff as anybody would; nothing in Bakeoff knows of it.
"""
