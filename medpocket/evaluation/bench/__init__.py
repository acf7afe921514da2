"""How fast a model is here, and what it takes; beside llama.cpp's own tools where they are."""
