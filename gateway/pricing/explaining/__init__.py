"""A tariff for people: in words, over a week, as a drawing, in their language."""
