"""Simulated users and what they would choose."""
