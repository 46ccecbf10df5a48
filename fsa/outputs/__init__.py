"""Output: trained models, and what they give for one person."""
