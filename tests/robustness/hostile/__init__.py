"""Files and recipes from strangers: made by script, given to the command line, refused.

A Case makes its files and returns the words of a command. `batch` carries cases out, each in a
forked process whose time, memory, files and sockets are watched.
"""
