"""How well a model and its experts do, as figures."""
