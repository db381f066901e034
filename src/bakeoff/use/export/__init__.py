"""The winner for use elsewhere: a folder with its file, checked in a process without Bakeoff."""
