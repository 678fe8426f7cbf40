"""What changes between two states of rendered objects, told as changes of objects and fields."""
