"""Commands that we send to partners' stations for our drivers, and what came of them."""
