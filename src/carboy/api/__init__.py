"""What views are written with."""
