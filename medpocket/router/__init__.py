"""From a text to the expert that should answer it, with its score and its evidence, or to none; no model runtime."""
