"""Small convex solvers that models and judges share."""
