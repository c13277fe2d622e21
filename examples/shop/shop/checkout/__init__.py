"""How it is bought."""
