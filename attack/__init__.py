"""What a stranger may send, sent to the real product, and the table of what came of it; not part of the product."""
