"""Data that a suite declares itself: read once, split, kept in the cache, and known from then on by its content.

`source` says what a suite can declare, `prepare` makes a data set of it, and `store` finds it again by its name,
`own:<hash>`. The name says everything that training and scoring depend on and nothing about where the data came from.
"""
