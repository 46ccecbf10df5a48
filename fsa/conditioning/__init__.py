"""Beliefs acting on the weights or the residual stream of a whole language model."""
