"""How far a study is: its stages, the time left, and how a terminal or a notebook shows both."""
