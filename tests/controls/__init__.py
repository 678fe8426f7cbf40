"""Each control is proven by mutants of the rendered example fleet."""
