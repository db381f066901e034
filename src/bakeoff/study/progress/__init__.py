"""How far a study is and how long it still takes, in a terminal and in a notebook."""
