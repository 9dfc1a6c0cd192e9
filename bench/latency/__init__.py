"""How quickly the app answers a person: start, page switches, first point of a curve, recommendations."""
